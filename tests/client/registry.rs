//! Registered clients at the endpoint.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, Outcome, RevocationLayer, RevocationRequest, Secret,
    client::{
        AuthMethod, Basic, Credentials, Refusal, SecretDigest,
        registry::{BasicDecoding, Client, ClientAuthenticator, Clients, Registry},
    },
};

/// `s6BhdRkqt3` / `gX1fBat3bV`, as in RFC 7009 §2.1.
const EXAMPLE: &str = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW";

#[derive(Debug, PartialEq)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// The reason, which the response does not show.
    refusal: Option<Refusal>,
}

impl Reply {
    /// Everything that the peer can see.
    fn visible(&self) -> (StatusCode, &HeaderMap, &Bytes) {
        (self.status, &self.headers, &self.body)
    }
}

/// One revocation through the layer. The backend returns `Revoked` for every request that reaches
/// it, so the status comes from the authenticator.
async fn revoke<L>(
    authenticator: &ClientAuthenticator<L>,
    authorization: Option<&str>,
    body: &str,
) -> Reply
where
    L: Clients + Clone + Send + Sync + 'static,
{
    let backend =
        service_fn(async |_: RevocationRequest<Arc<Client>>| Ok::<_, BoxError>(Outcome::Revoked));
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let service = RevocationLayer::new("/revoke", authenticator.clone(), backend).layer(inner);

    let mut request = Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(body.to_owned()))
        .unwrap();
    if let Some(authorization) = authorization {
        let value = authorization.parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    Reply {
        refusal: head.extensions.get::<Error>().and_then(Error::refusal),
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// The status of a revocation with Basic.
async fn by_basic(clients: &Registry, authorization: &str) -> u16 {
    let authenticator = ClientAuthenticator::new(clients.clone());
    let response = revoke(&authenticator, Some(authorization), "token=rt1").await;
    response.status.as_u16()
}

/// The status of a revocation with these members in the body.
async fn by_body(clients: &Registry, body: &str) -> u16 {
    let authenticator = ClientAuthenticator::new(clients.clone());
    let response = revoke(&authenticator, None, &format!("token=rt1&{body}")).await;
    response.status.as_u16()
}

/// Sent raw.
fn raw(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// Form-encoded first (RFC 6749 §2.3.1).
fn encoded(client_id: &str, secret: &str) -> String {
    let encode = |text| serde_urlencoded::to_string([("", text)]).unwrap()[1..].to_owned();
    raw(&encode(client_id), &encode(secret))
}

fn digest(secret: &str) -> SecretDigest {
    SecretDigest::sha256(&Secret::new(secret))
}

fn hours(hours: i64) -> SystemTime {
    let distance = Duration::from_secs(hours.unsigned_abs() * 60 * 60);
    if hours < 0 {
        SystemTime::now() - distance
    } else {
        SystemTime::now() + distance
    }
}

fn example() -> Client {
    Client::confidential("s6BhdRkqt3", digest("gX1fBat3bV"))
}

fn only(client: Client) -> Registry {
    Registry::from_iter([client])
}

// One response for all reasons

#[tokio::test]
async fn every_reason_has_the_same_response() {
    let clients = Registry::from_iter([
        example(),
        Client::builder("expired")
            .secret(digest("gX1fBat3bV"))
            .secret_expires_at(hours(-1))
            .build(),
        Client::builder("in-the-body")
            .secret(digest("gX1fBat3bV"))
            .auth_methods([AuthMethod::ClientSecretPost])
            .build(),
        Client::builder("disabled")
            .secret(digest("gX1fBat3bV"))
            .disabled(true)
            .build(),
        Client::builder("by-key")
            .secret(digest("gX1fBat3bV"))
            .auth_methods([AuthMethod::PrivateKeyJwt])
            .build(),
        Client::public("spa-1"),
        Client::public("spa-2")
            .into_builder()
            .auth_methods([AuthMethod::ClientSecretBasic])
            .build(),
    ]);
    for authenticator in [
        ClientAuthenticator::new(clients.clone()),
        ClientAuthenticator::new(clients).hmac_key([7; 32]),
    ] {
        let right = revoke(&authenticator, Some(EXAMPLE), "token=rt1").await;
        assert_eq!(right.status, StatusCode::OK);

        let unknown = revoke(
            &authenticator,
            Some(&raw("nobody", "gX1fBat3bV")),
            "token=rt1",
        )
        .await;
        assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            unknown.headers["www-authenticate"],
            r#"Basic realm="oauth", charset="UTF-8""#
        );
        for (client_id, secret) in [
            ("s6BhdRkqt3", "WRONG"),
            ("expired", "gX1fBat3bV"),
            ("in-the-body", "gX1fBat3bV"),
            ("disabled", "gX1fBat3bV"),
            ("by-key", "gX1fBat3bV"),
            ("spa-1", "gX1fBat3bV"),
            ("spa-2", "gX1fBat3bV"),
            ("s6BhdRkqt3", ""),
        ] {
            let authorization = raw(client_id, secret);
            let response = revoke(&authenticator, Some(&authorization), "token=rt1").await;
            assert_eq!(
                response.visible(),
                unknown.visible(),
                "{client_id}:{secret}"
            );
        }
        for body in [
            "token=rt1&client_id=nobody&client_secret=gX1fBat3bV",
            "token=rt1&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV",
            "token=rt1&client_id=spa-1&client_secret=gX1fBat3bV",
            "token=rt1&client_id=s6BhdRkqt3",
            "token=rt1&client_id=expired",
            "token=rt1&client_id=nobody",
        ] {
            let response = revoke(&authenticator, None, body).await;
            assert_eq!(response.visible(), unknown.visible(), "{body}");
        }
    }
}

#[tokio::test]
async fn database_that_is_down_is_503_and_not_401() {
    #[derive(Clone)]
    struct Down;
    impl Clients for Down {
        async fn client(&self, _: &str) -> Result<Option<Arc<Client>>, BoxError> {
            Err("the database of clients is gone".into())
        }
    }
    let authenticator = ClientAuthenticator::new(Arc::new(Down));
    for (authorization, body) in [
        (Some(EXAMPLE), "token=rt1"),
        (None, "token=rt1&client_id=post-client&client_secret=p0st"),
        (None, "token=rt1&client_id=spa-1"),
    ] {
        let response = revoke(&authenticator, authorization, body).await;
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers["retry-after"], "1");
        assert_eq!(response.body, r#"{"error":"temporarily_unavailable"}"#);
    }
}

#[tokio::test]
async fn database_that_ignores_case_does_not_change_the_comparison() {
    #[derive(Clone)]
    struct IgnoresCase(Registry);
    impl Clients for IgnoresCase {
        async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
            self.0.client(&client_id.to_lowercase()).await
        }
    }
    let clients = IgnoresCase(only(Client::confidential("c2", digest("s3cr3t-two"))));
    let authenticator = ClientAuthenticator::new(clients);
    let right = revoke(&authenticator, Some(&raw("c2", "s3cr3t-two")), "token=rt1").await;
    assert_eq!(right.status, StatusCode::OK);
    let other = revoke(&authenticator, Some(&raw("C2", "s3cr3t-two")), "token=rt1").await;
    assert_eq!(other.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn lookups_of_a_refusal_do_not_depend_on_the_client() {
    #[derive(Clone, Default)]
    struct Counting(Registry, Arc<Mutex<Vec<String>>>);
    impl Clients for Counting {
        async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
            self.1.lock().unwrap().push(client_id.to_owned());
            self.0.client(client_id).await
        }
    }
    let mut seen = HashSet::new();
    for client in [
        Client::confidential("a b", digest("x y")),
        Client::builder("a b")
            .secret(digest("x y"))
            .basic_decoding(BasicDecoding::Raw)
            .build(),
        Client::builder("a b")
            .secret(digest("x y"))
            .disabled(true)
            .build(),
        Client::public("someone-else"),
    ] {
        let clients = Counting(only(client), Arc::default());
        let authenticator = ClientAuthenticator::new(clients.clone());
        revoke(&authenticator, Some(&raw("a+b", "x+z")), "token=rt1").await;
        seen.insert(clients.1.lock().unwrap().clone());
    }
    assert_eq!(
        seen,
        HashSet::from([vec!["a b".to_owned(), "a+b".to_owned()]])
    );
}

// Methods

#[tokio::test]
async fn example_of_rfc_7009_is_accepted() {
    assert_eq!(by_basic(&only(example()), EXAMPLE).await, 200);
    let body = "token=rt1&client_id=s6BhdRkqt3";
    let authenticator = ClientAuthenticator::new(only(example()));
    let response = revoke(&authenticator, Some(EXAMPLE), body).await;
    assert_eq!(response.status, StatusCode::OK);
}

/// RFC 9110 §11.4: `1*SP`
#[tokio::test]
async fn spaces_after_the_scheme_are_accepted_and_a_tab_is_not() {
    let clients = only(example());
    let spaces = EXAMPLE.replacen(' ', "  ", 1);
    assert_eq!(by_basic(&clients, &spaces).await, 200);
    let tab = EXAMPLE.replacen(' ', "\t", 1);
    assert_eq!(by_basic(&clients, &tab).await, 401);
}

/// RFC 7591 §2, `token_endpoint_auth_method`
#[tokio::test]
async fn registered_methods_are_binding() {
    let in_body = "client_id=s6BhdRkqt3&client_secret=gX1fBat3bV";
    let basic = only(example());
    assert_eq!(by_basic(&basic, EXAMPLE).await, 200);
    assert_eq!(by_body(&basic, in_body).await, 401);

    let post = only(
        example()
            .into_builder()
            .auth_methods([AuthMethod::ClientSecretPost])
            .build(),
    );
    assert_eq!(by_basic(&post, EXAMPLE).await, 401);
    assert_eq!(by_body(&post, in_body).await, 200);

    let both = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
    let both = only(example().into_builder().auth_methods(both).build());
    assert_eq!(by_basic(&both, EXAMPLE).await, 200);
    assert_eq!(by_body(&both, in_body).await, 200);
}

#[tokio::test]
async fn secret_in_the_body_is_form_decoded_once() {
    let clients = Registry::from_json(
        r#"{ "client_id": "post-client2", "client_secret": "a+b c%d:e",
             "token_endpoint_auth_method": "client_secret_post" }"#,
    )
    .unwrap();
    let right = "client_id=post-client2&client_secret=a%2Bb+c%25d%3Ae";
    assert_eq!(by_body(&clients, right).await, 200);
    let twice = "client_id=post-client2&client_secret=a%252Bb%2Bc%2525d%253Ae";
    assert_eq!(by_body(&clients, twice).await, 401);
}

#[tokio::test]
async fn unsupported_method_is_registered_and_refused() {
    const SECRET: &str = "gX1fBat3bVgX1fBat3bVgX1fBat3bVgX1fBat3bV";
    for (method, needs) in [
        (
            "private_key_jwt",
            r#""jwks_uri": "https://client.example/keys""#,
        ),
        (
            "client_secret_jwt",
            r#""token_endpoint_auth_signing_alg": "HS256""#,
        ),
        (
            "tls_client_auth",
            r#""tls_client_auth_san_dns": "client.example""#,
        ),
        (
            "self_signed_tls_client_auth",
            r#""jwks_uri": "https://client.example/keys""#,
        ),
        ("foo", r#""bar": 1"#),
    ] {
        let document = format!(
            r#"{{ "client_id": "s6BhdRkqt3", "client_secret": "{SECRET}",
                  "token_endpoint_auth_method": "{method}", {needs} }}"#
        );
        let clients = Registry::from_json(&document).unwrap();
        assert_eq!(
            by_basic(&clients, &raw("s6BhdRkqt3", SECRET)).await,
            401,
            "{method}"
        );
        for body in [
            "client_id=s6BhdRkqt3&client_secret=gX1fBat3bVgX1fBat3bVgX1fBat3bVgX1fBat3bV",
            "client_id=s6BhdRkqt3",
            "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion=e30.e30.&client_id=s6BhdRkqt3",
        ] {
            assert_eq!(by_body(&clients, body).await, 401, "{method}: {body}");
        }
    }
}

/// RFC 6749 §2.1, RFC 7009 §5
#[tokio::test]
async fn public_client_sends_its_id_in_the_body_and_no_secret() {
    let clients = only(Client::public("spa-1"));
    assert_eq!(by_body(&clients, "client_id=spa-1").await, 200);
    assert_eq!(by_body(&clients, "client_id=SPA-1").await, 401);
    assert_eq!(
        by_body(&clients, "client_id=spa-1&client_secret=x").await,
        401
    );
    assert_eq!(by_basic(&clients, "Basic c3BhLTE6").await, 401);
    let disabled = only(
        Client::public("spa-1")
            .into_builder()
            .disabled(true)
            .build(),
    );
    assert_eq!(by_body(&disabled, "client_id=spa-1").await, 401);
}

#[tokio::test]
async fn client_with_a_secret_must_present_it() {
    let methods = [AuthMethod::None, AuthMethod::ClientSecretBasic];
    let clients = only(
        example()
            .into_builder()
            .auth_methods(methods)
            .secret_expires_at(hours(-1))
            .build(),
    );
    assert_eq!(by_body(&clients, "client_id=s6BhdRkqt3").await, 401);
}

// Readings of Basic (RFC 6749 §2.3.1, RFC 7617 §2)

#[tokio::test]
async fn basic_is_form_decoded_unless_the_client_is_registered_as_raw() {
    let secrets = [
        (
            "1PpG/Q 1",
            "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=",
        ),
        ("plus:", "a+b c%d:e"),
        ("https://client.example/app", "s3cr3t"),
    ];
    for (client_id, secret) in secrets {
        let client = Client::confidential(client_id, digest(secret));
        let registered = |decoding| {
            only(
                client
                    .clone()
                    .into_builder()
                    .basic_decoding(decoding)
                    .build(),
            )
        };
        let encoded = encoded(client_id, secret);
        let raw = raw(client_id, secret);

        let form = registered(BasicDecoding::Form);
        assert_eq!(by_basic(&form, &encoded).await, 200, "{client_id}");
        assert_eq!(by_basic(&form, &raw).await, 401, "{client_id}");

        let raw_only = registered(BasicDecoding::Raw);
        assert_eq!(by_basic(&raw_only, &encoded).await, 401, "{client_id}");
        // An identifier with a colon cannot be sent raw, because the first colon ends it.
        let sent_raw = if client_id.contains(':') { 401 } else { 200 };
        assert_eq!(by_basic(&raw_only, &raw).await, sent_raw, "{client_id}");

        let either = registered(BasicDecoding::FormThenRaw);
        assert_eq!(by_basic(&either, &encoded).await, 200, "{client_id}");
        assert_eq!(by_basic(&either, &raw).await, sent_raw, "{client_id}");
    }
}

#[tokio::test]
async fn raw_secret_with_a_plus_differs_from_the_form_decoded_one() {
    const SENT: &str =
        "Basic MVBwRy9RIDE6ei90WjlWd0ZacUFwbUlRK1pIMUk1cExrL3VCNHVkOlgyLzhiTCt3ZkZUdDFyRnc9";
    let secret = "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=";
    assert_eq!(raw("1PpG/Q 1", secret), SENT);
    let client = Client::confidential("1PpG/Q 1", digest(secret));
    assert_eq!(by_basic(&only(client.clone()), SENT).await, 401);
    let either = only(
        client
            .into_builder()
            .basic_decoding(BasicDecoding::FormThenRaw)
            .build(),
    );
    assert_eq!(by_basic(&either, SENT).await, 200);
}

#[tokio::test]
async fn broken_escape_is_valid_only_in_a_raw_secret() {
    const SENT: &str = "Basic cGx1czphK2IgYyVkOmU=";
    assert_eq!(raw("plus", "a+b c%d:e"), SENT);
    let client = Client::confidential("plus", digest("a+b c%d:e"));
    assert_eq!(by_basic(&only(client.clone()), SENT).await, 401);
    let either = only(
        client
            .into_builder()
            .basic_decoding(BasicDecoding::FormThenRaw)
            .build(),
    );
    assert_eq!(by_basic(&either, SENT).await, 200);
}

#[tokio::test]
async fn basic_is_split_at_the_first_colon() {
    const SENT: &str = "Basic aHR0cHM6Ly9jbGllbnQuZXhhbXBsZS9hcHA6czNjcjN0";
    for decoding in [
        BasicDecoding::Form,
        BasicDecoding::Raw,
        BasicDecoding::FormThenRaw,
    ] {
        let client = Client::confidential("https://client.example/app", digest("s3cr3t"));
        let clients = only(client.into_builder().basic_decoding(decoding).build());
        assert_eq!(by_basic(&clients, SENT).await, 401);
    }
    let https = only(Client::confidential(
        "https",
        digest("//client.example/app:s3cr3t"),
    ));
    assert_eq!(by_basic(&https, SENT).await, 200);
}

#[tokio::test]
async fn secret_outside_ascii_is_compared_as_utf_8_bytes() {
    const SENT: &str = "Basic a2zDr2VudDpww6TCo+KCrA==";
    let (client_id, secret) = ("kl\u{ef}ent", "p\u{e4}\u{a3}\u{20ac}");
    assert_eq!(raw(client_id, secret), SENT);
    let clients = only(Client::confidential(client_id, digest(secret)));
    assert_eq!(by_basic(&clients, SENT).await, 200);
    assert_eq!(by_basic(&clients, &encoded(client_id, secret)).await, 200);

    let latin_1 = format!("Basic {}", STANDARD.encode(b"kl\xefent:p\xe4\xa3"));
    assert_eq!(by_basic(&clients, &latin_1).await, 401);
    let decomposed = raw(client_id, "pa\u{308}\u{a3}\u{20ac}");
    assert_eq!(by_basic(&clients, &decomposed).await, 401);
}

#[tokio::test]
async fn malformed_basic_or_wrong_secret_is_401() {
    let either = example()
        .into_builder()
        .basic_decoding(BasicDecoding::FormThenRaw)
        .build();
    for clients in [only(example()), only(either)] {
        for authorization in [
            "Basic czZCaGRSa3F0Mzr//g==",             // not UTF-8
            "Basic czZCaGRSa3F0MzolRkY=",             // %FF
            "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JWCg==", // a line break at the end
            "Basic czZCaGRSa3F0Mw==",                 // no colon
            "Basic OmdYMWZCYXQzYlY=",                 // no identifier
            "Basic czZCaGRSa3F0Mzo=",                 // no secret
            "Basic bm9ib2R5OmdYMWZCYXQzYlY=",         // nobody
            &raw("s6BhdRkqt3", "hX1fBat3bV"),         // the first byte differs
            &raw("s6BhdRkqt3", "gX1fBat3bW"),         // the last one
            &raw("s6BhdRkqt3", "gX1fBat3b"),
            &raw("S6BHDRKQT3", "gX1fBat3bV"),
        ] {
            assert_eq!(
                by_basic(&clients, authorization).await,
                401,
                "{authorization}"
            );
        }
        assert_eq!(by_basic(&clients, EXAMPLE).await, 200);
    }
}

#[tokio::test]
async fn empty_secret_is_refused_even_if_its_digest_is_registered() {
    let methods = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
    let client = Client::builder("s6BhdRkqt3")
        .secret(digest(""))
        .auth_methods(methods)
        .build();
    let clients = only(client);
    assert_eq!(by_basic(&clients, &raw("s6BhdRkqt3", "")).await, 401);

    let authenticator = ClientAuthenticator::new(clients);
    let credentials = Credentials::Post {
        client_id: "s6BhdRkqt3".to_owned(),
        client_secret: Secret::new(""),
    };
    let refused = authenticator.authenticate(&Request::new(credentials)).await;
    assert_eq!(refused.unwrap_err().refusal(), Some(Refusal::WrongSecret));
}

// Rotation and expiry (RFC 7591 §3.2.1)

#[tokio::test]
async fn previous_secret_works_until_it_expires() {
    let rotated = |end| {
        only(
            Client::builder("c2")
                .secret(digest("new"))
                .previous_secret(digest("old"), end)
                .build(),
        )
    };
    let window = rotated(hours(1));
    assert_eq!(by_basic(&window, &raw("c2", "new")).await, 200);
    assert_eq!(by_basic(&window, &raw("c2", "old")).await, 200);
    assert_eq!(by_basic(&window, &raw("c2", "older")).await, 401);
    let after = rotated(hours(-1));
    assert_eq!(by_basic(&after, &raw("c2", "new")).await, 200);
    assert_eq!(by_basic(&after, &raw("c2", "old")).await, 401);
}

#[tokio::test]
async fn expiry_is_in_seconds_and_zero_means_never() {
    let document = r#"{ "client_id": "c2", "client_secrets": [
        { "client_secret": "new", "client_secret_expires_at": 0 },
        { "client_secret": "old", "client_secret_expires_at": AT }
    ] }"#;
    for (at, old) in [("1", 401), ("32503680000", 200), ("0", 200)] {
        let clients = Registry::from_json(&document.replace("AT", at)).unwrap();
        assert_eq!(by_basic(&clients, &raw("c2", "new")).await, 200);
        assert_eq!(by_basic(&clients, &raw("c2", "old")).await, old, "{at}");
    }
}

// Digests

#[tokio::test]
async fn document_may_contain_digests_instead_of_secrets() {
    for sha256 in [
        "53f5da0aaa93d64cd5772c554cbf940f0539e689dddbeb8f923eec3f72c02ea9",
        "53F5DA0AAA93D64CD5772C554CBF940F0539E689DDDBEB8F923EEC3F72C02EA9",
        "U_XaCqqT1kzVdyxVTL-UDwU55ond2-uPkj7sP3LALqk",
        "U_XaCqqT1kzVdyxVTL-UDwU55ond2-uPkj7sP3LALqk=",
    ] {
        let document = format!(r#"{{"client_id":"s6BhdRkqt3","client_secret_sha256":"{sha256}"}}"#);
        let clients = Registry::from_json(&document).unwrap();
        assert_eq!(by_basic(&clients, EXAMPLE).await, 200, "{sha256}");
        assert_eq!(by_basic(&clients, &raw("s6BhdRkqt3", sha256)).await, 401);
    }
}

/// RFC 4231 §4.3: HMAC-SHA-256 of "what do ya want for nothing?" under the key "Jefe".
#[tokio::test]
async fn secret_registered_as_hmac_needs_the_right_key() {
    let clients = Registry::from_json(
        r#"{ "client_id": "c2", "client_secret_hmac_sha256":
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" }"#,
    )
    .unwrap();
    let right = encoded("c2", "what do ya want for nothing?");
    let wrong = encoded("c2", "what do ya want?");

    let keyed = ClientAuthenticator::new(clients.clone()).hmac_key("Jefe");
    let status = async |authenticator, authorization| {
        let response = revoke(authenticator, Some(authorization), "token=rt1").await;
        response.status.as_u16()
    };
    assert_eq!(status(&keyed, &right).await, 200);
    assert_eq!(status(&keyed, &wrong).await, 401);
    let other_key = ClientAuthenticator::new(clients.clone()).hmac_key("Boss");
    assert_eq!(status(&other_key, &right).await, 401);
    // The result is unknown, and the operator must know.
    let without = ClientAuthenticator::new(clients);
    assert_eq!(status(&without, &right).await, 503);
}

#[tokio::test]
async fn sha256_digest_does_not_count_as_hmac() {
    let clients = Registry::from_json(
        r#"{ "client_id": "s6BhdRkqt3", "client_secret_hmac_sha256":
             "53f5da0aaa93d64cd5772c554cbf940f0539e689dddbeb8f923eec3f72c02ea9" }"#,
    )
    .unwrap();
    assert_eq!(by_basic(&clients, EXAMPLE).await, 503);
    let keyed = ClientAuthenticator::new(clients).hmac_key("Jefe");
    let response = revoke(&keyed, Some(EXAMPLE), "token=rt1").await;
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn computed_hmac_digest_is_accepted() {
    let digest = SecretDigest::hmac_sha256(b"Jefe", &Secret::new("gX1fBat3bV"));
    let clients = only(Client::confidential("s6BhdRkqt3", digest));
    let authenticator = ClientAuthenticator::new(clients).hmac_key(b"Jefe");
    let response = revoke(&authenticator, Some(EXAMPLE), "token=rt1").await;
    assert_eq!(response.status, StatusCode::OK);
}

#[test]
#[should_panic(expected = "the HMAC key of the secrets is empty")]
fn empty_hmac_key_panics() {
    let _ = ClientAuthenticator::new(Registry::default()).hmac_key("");
}

#[test]
fn debug_shows_neither_secret_nor_digest_nor_key() {
    let clients =
        Registry::from_json(r#"{"client_id":"s6BhdRkqt3","client_secret":"gX1fBat3bV"}"#).unwrap();
    let authenticator = ClientAuthenticator::new(clients).hmac_key("Jefe");
    let shown = format!("{authenticator:?}");
    assert!(shown.contains("s6BhdRkqt3"));
    assert!(shown.contains("SecretDigest(..)"));
    assert!(shown.contains("Key(..)"));
    for hidden in ["gX1fBat3bV", "Jefe", "53f5da", "53F5DA", "83, 245", "0x53"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

// Clients in code

#[tokio::test]
async fn insert_replaces_the_client_and_does_not_change_clones() {
    let mut clients = only(example());
    let before = clients.clone();
    let replaced = clients.insert(Client::confidential("s6BhdRkqt3", digest("new")));
    assert_eq!(replaced.unwrap().client_id(), "s6BhdRkqt3");
    assert!(clients.insert(Client::public("spa-1")).is_none());

    assert_eq!(by_basic(&clients, EXAMPLE).await, 401);
    assert_eq!(by_basic(&clients, &raw("s6BhdRkqt3", "new")).await, 200);
    assert_eq!(by_basic(&before, EXAMPLE).await, 200);
    assert!(before.client("spa-1").await.unwrap().is_none());
}

#[tokio::test]
async fn other_endpoints_can_share_the_authenticator() {
    let authenticator = ClientAuthenticator::new(only(example()));
    let basic = Credentials::Basic(Basic::new("s6BhdRkqt3:gX1fBat3bV").unwrap());
    let client = authenticator.authenticate(&Request::new(basic)).await;
    assert_eq!(client.unwrap().client_id(), "s6BhdRkqt3");
}

// Reasons

#[tokio::test]
async fn every_reason_has_the_same_response_and_its_own_refusal() {
    let clients = Registry::from_iter([
        example(),
        Client::builder("off")
            .secret(digest("s"))
            .disabled(true)
            .build(),
        Client::public("spa-1"),
    ]);
    let authenticator = ClientAuthenticator::new(clients);
    let cases = [
        (raw("nobody", "s"), Refusal::UnknownClient),
        (raw("off", "s"), Refusal::UnknownClient),
        (raw("s6BhdRkqt3", "wrong"), Refusal::WrongSecret),
        (raw("spa-1", "s"), Refusal::MethodNotRegistered),
    ];
    let mut responses = Vec::new();
    for (authorization, expected) in cases {
        let response = revoke(&authenticator, Some(&authorization), "token=rt1").await;
        assert_eq!(response.refusal, Some(expected));
        responses.push((response.status, response.headers, response.body));
    }
    assert!(responses.windows(2).all(|two| two[0] == two[1]));
}
