//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 §2), over real TLS.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData as _, SanType,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tower_revocation::client::{
    AuthMethod, PeerAddr, Refusal,
    certificate::{CertificateFieldsLayer, CertificateForm, ClientCertificate},
    registry::{ClientAuthenticator, Registry},
};

use crate::{
    fixture::{Answer, ask, basic, layer, post, registry},
    tls::{Authority, Server, Shown, authority, for_clients},
};

const MT: &str = "token=rt1&client_id=mt";
const SS: &str = "token=rt1&client_id=ss";

fn named(name: &str) -> CertificateParams {
    let mut params = for_clients(&["client.example"]);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "DE");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example  Ltd");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn by_subject(member: &str, value: &str) -> Registry {
    registry(&json!({
        "client_id": "mt", "token_endpoint_auth_method": "tls_client_auth", member: value,
    }))
}

fn public_jwk(key: &KeyPair) -> Value {
    let (x, y) = key.der_bytes()[1..].split_at(32);
    let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
}

fn by_key(jwk: &Value) -> Registry {
    registry(&json!({
        "client_id": "ss", "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": { "keys": [jwk] },
    }))
}

async fn status(authority: &Authority, clients: Registry, shown: &Shown, body: &str) -> u16 {
    Server::start(clients, authority)
        .await
        .status(Some(shown), body)
        .await
}

// tls_client_auth

#[tokio::test]
async fn a_client_is_known_by_its_certificate_and_its_name() {
    let authority = authority();
    let clients = by_subject("tls_client_auth_subject_dn", "CN=mt,O=Example Ltd,C=DE");
    let server = Server::start(clients, &authority).await;
    let shown = Shown::of(&authority, &named("mt"));
    for version in [&TLS12, &TLS13] {
        assert_eq!(server.status_by(version, Some(&shown), None, MT).await, 200);
        assert_eq!(server.status_by(version, None, None, MT).await, 401);
    }
    // RFC 8705 §2: it names itself.
    assert_eq!(server.status(Some(&shown), "token=rt1").await, 401);
    assert_eq!(
        server
            .status(Some(&shown), "token=rt1&client_id=nobody")
            .await,
        401
    );
    let other = Shown::of(&authority, &named("other"));
    assert_eq!(server.status(Some(&other), MT).await, 401);
}

#[tokio::test]
async fn a_name_that_nobody_vouches_for_is_worth_nothing() {
    let authority = authority();
    let clients = by_subject("tls_client_auth_subject_dn", "CN=mt,O=Example Ltd,C=DE");
    let server = Server::start(clients, &authority).await;

    let foreign = Shown::of(&crate::tls::authority(), &named("mt"));
    assert_eq!(server.status(Some(&foreign), MT).await, 401);
    let own = Shown::self_signed(&named("mt"));
    assert_eq!(server.status(Some(&own), MT).await, 401);

    let mut expired = named("mt");
    expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let expired = Shown::of(&authority, &expired);
    assert_eq!(server.status(Some(&expired), MT).await, 401);
    let mut for_servers = named("mt");
    for_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let for_servers = Shown::of(&authority, &for_servers);
    assert_eq!(server.status(Some(&for_servers), MT).await, 401);
}

#[tokio::test]
async fn a_subject_is_compared_by_what_it_means() {
    let authority = authority();
    let shown = Shown::of(&authority, &named("mt"));
    for (registered, expected) in [
        ("C=DE,O=Example Ltd,CN=mt", 200),
        ("cn=MT , o=example   ltd , c=de", 200),
        ("2.5.4.3=mt,2.5.4.10=Example Ltd,2.5.4.6=DE", 200),
        ("CN=mt,O=Example Ltd", 401),
        ("CN=mt,O=Example Ltd,C=DE,OU=x", 401),
        ("CN=mt,O=ExampleLtd,C=DE", 401),
    ] {
        let clients = by_subject("tls_client_auth_subject_dn", registered);
        assert_eq!(
            status(&authority, clients, &shown, MT).await,
            expected,
            "{registered}"
        );
    }
}

#[tokio::test]
async fn an_alternative_name_is_compared_by_its_kind() {
    let authority = authority();
    let mut params = for_clients(&["CLIENT.example", "*.wild.example"]);
    let ia5 = |text: &str| text.try_into().unwrap();
    params.subject_alt_names.extend([
        SanType::URI(ia5("https://client.example/a")),
        SanType::IpAddress("2001:db8::1".parse().unwrap()),
        SanType::Rfc822Name(ia5("Jane@Example.com")),
    ]);
    params
        .distinguished_name
        .push(DnType::CommonName, "cn.example");
    let shown = Shown::of(&authority, &params);
    for (member, value, expected) in [
        ("tls_client_auth_san_dns", "client.example", 200),
        ("tls_client_auth_san_dns", "a.wild.example", 401),
        ("tls_client_auth_san_dns", "cn.example", 401),
        ("tls_client_auth_san_uri", "https://client.example/a", 200),
        ("tls_client_auth_san_uri", "https://client.example/A", 401),
        ("tls_client_auth_san_ip", "2001:db8:0::1", 200),
        ("tls_client_auth_san_ip", "2001:db8::2", 401),
        ("tls_client_auth_san_email", "Jane@example.COM", 200),
        ("tls_client_auth_san_email", "jane@example.com", 401),
    ] {
        let clients = by_subject(member, value);
        assert_eq!(
            status(&authority, clients, &shown, MT).await,
            expected,
            "{member} {value}"
        );
    }
}

// self_signed_tls_client_auth

#[tokio::test]
async fn a_self_signed_certificate_is_known_by_its_key_itself_or_its_digest() {
    let authority = authority();
    // The dates say nothing about what anybody can write.
    let mut params = named("ss");
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let shown = Shown::self_signed(&params);
    let stranger = Shown::self_signed(&params);

    let key = public_jwk(&shown.key);
    let mut whole = key.clone();
    whole["x5c"] = json!([STANDARD.encode(&shown.certificate)]);
    let mut digest = public_jwk(&KeyPair::generate().unwrap());
    digest["x5t#S256"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest(&shown.certificate)));
    for jwk in [key, whole, digest] {
        let server = Server::start(by_key(&jwk), &authority).await;
        assert_eq!(server.status(Some(&shown), SS).await, 200, "{jwk}");
        assert_eq!(server.status(Some(&stranger), SS).await, 401, "{jwk}");
        assert_eq!(server.status(None, SS).await, 401);
        assert_eq!(server.status(Some(&shown), "token=rt1").await, 401);
    }
}

// Beside other methods

#[tokio::test]
async fn a_certificate_is_one_method_and_a_secret_another() {
    let authority = authority();
    let clients = registry(&json!([
        { "client_id": "mt", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "client.example" },
        { "client_id": "c1", "client_secret": "gX1fBat3bV" },
        { "client_id": "spa-1", "token_endpoint_auth_method": "none" },
    ]));
    let server = Server::start(clients, &authority).await;
    let shown = Shown::of(&authority, &named("mt"));
    let with = async |authorization: &str, body: &str| {
        server
            .status_by(&TLS13, Some(&shown), Some(authorization), body)
            .await
    };
    // RFC 6749 §2.3.
    assert_eq!(with(&basic("mt", "s"), "token=rt1").await, 400);
    assert_eq!(
        server
            .status(Some(&shown), "token=rt1&client_id=mt&client_secret=s")
            .await,
        400
    );
    // Whoever is registered for something else may show one: tokens can be bound to it.
    assert_eq!(with(&basic("c1", "gX1fBat3bV"), "token=rt1").await, 200);
    assert_eq!(with(&basic("c1", "wrong"), "token=rt1").await, 401);
    assert_eq!(
        server
            .status(Some(&shown), "token=rt1&client_id=spa-1")
            .await,
        200
    );
}

async fn by_extension(
    authenticator: ClientAuthenticator<Registry>,
    methods: &[AuthMethod],
) -> Answer {
    let shown = Shown::of(&authority(), &named("mt"));
    let mut request = post(MT);
    let certificate = ClientCertificate::verified(shown.certificate.as_ref()).unwrap();
    request.extensions_mut().insert(certificate);
    ask(
        layer(authenticator).auth_methods(methods.iter().copied()),
        request,
    )
    .await
}

#[tokio::test]
async fn certificates_count_where_they_are_offered() {
    let clients = by_subject("tls_client_auth_san_dns", "client.example");
    let plain = ClientAuthenticator::new(clients);
    let all = AuthMethod::ALL;
    let asked = by_extension(plain.clone(), &all).await;
    assert_eq!(asked.refusal(), Some(Refusal::MethodNotRegistered));
    let asked = by_extension(plain.clone().certificates(), &all).await;
    assert_eq!(asked.status, 200);
    let without = [AuthMethod::None, AuthMethod::SelfSignedTlsClientAuth];
    let asked = by_extension(plain.certificates(), &without).await;
    assert_eq!(
        (asked.status.as_u16(), asked.refusal()),
        (400, Some(Refusal::MethodNotRegistered))
    );
}

// Registration (RFC 8705 §2.1.2)

#[test]
fn a_client_of_certificates_has_exactly_one_name_for_them() {
    let document = |members: &Value| {
        let mut client =
            json!({ "client_id": "mt", "token_endpoint_auth_method": "tls_client_auth" });
        client
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        Registry::from_json(&client.to_string())
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let refused = |members: &Value, reason: &str| {
        let error = document(members).unwrap_err();
        assert!(
            error.starts_with("line 1") && error.contains(reason),
            "{error}"
        );
    };
    refused(&json!({}), "needs the subject");
    refused(
        &json!({ "tls_client_auth_san_dns": "a.example", "tls_client_auth_san_uri": "urn:a" }),
        "in two ways",
    );
    refused(&json!({ "tls_client_auth_subject_dn": "mt" }), "");
    refused(&json!({ "tls_client_auth_san_ip": "1.2.3" }), "");
    refused(&json!({ "tls_client_auth_san_dns": "*.example" }), "");
    document(&json!({ "tls_client_auth_san_ip": "192.0.2.1" })).unwrap();

    let self_signed = |jwks: &Value| {
        let client = json!({
            "client_id": "ss", "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": jwks,
        });
        Registry::from_json(&client.to_string())
            .map(drop)
            .map_err(|error| error.to_string())
    };
    assert!(
        self_signed(&Value::Null)
            .unwrap_err()
            .contains("needs jwks")
    );
    // RFC 7517 §4.7.
    let mut other = public_jwk(&KeyPair::generate().unwrap());
    let certificate = Shown::self_signed(&named("ss")).certificate;
    other["x5c"] = json!([STANDARD.encode(certificate)]);
    assert!(
        self_signed(&json!({ "keys": [other] }))
            .unwrap_err()
            .contains("another key")
    );
}

// Behind a proxy (RFC 9440)

async fn behind_proxy(peer: &str, fields: &[(&'static str, String)], tls: bool) -> (u16, bool) {
    use tower::{Layer as _, ServiceExt as _, service_fn};

    let clients = by_subject("tls_client_auth_san_dns", "client.example");
    let revocation = layer(ClientAuthenticator::new(clients).certificates());
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mark = seen.clone();
    let inner = service_fn(
        move |request: hyper::Request<http_body_util::Full<bytes::Bytes>>| {
            let passed = request.headers().contains_key("client-cert");
            mark.fetch_or(passed, std::sync::atomic::Ordering::SeqCst);
            async {
                let body = http_body_util::Empty::<bytes::Bytes>::new();
                Ok::<_, tower::BoxError>(hyper::Response::new(body))
            }
        },
    );
    let app =
        CertificateFieldsLayer::new(CertificateForm::ClientCert, ["10.0.0.0/8".parse().unwrap()])
            .layer(revocation.layer(inner));
    let mut status = 0;
    for path in ["/revoke", "/elsewhere"] {
        let mut request = post(MT).map(http_body_util::Full::<bytes::Bytes>::from);
        *request.uri_mut() = path.parse().unwrap();
        request
            .extensions_mut()
            .insert(PeerAddr(peer.parse().unwrap()));
        for (name, value) in fields {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        if tls {
            let own = Shown::of(&authority(), &named("proxy"));
            let own = ClientCertificate::verified(own.certificate.as_ref()).unwrap();
            request.extensions_mut().insert(own);
        }
        let response = app.clone().oneshot(request).await.unwrap();
        if path == "/revoke" {
            status = response.status().as_u16();
        }
    }
    (status, seen.load(std::sync::atomic::Ordering::SeqCst))
}

#[tokio::test]
async fn a_field_counts_from_a_trusted_proxy_alone_and_reaches_nobody() {
    let shown = Shown::of(&authority(), &named("mt"));
    let field = || {
        (
            "client-cert",
            format!(":{}:", STANDARD.encode(&shown.certificate)),
        )
    };
    let chain = || {
        (
            "client-cert-chain",
            format!(":{}:", STANDARD.encode(&shown.certificate)),
        )
    };
    let proxy = "10.0.0.7:40000";
    assert_eq!(behind_proxy(proxy, &[field()], false).await, (200, false));
    assert_eq!(
        behind_proxy(proxy, &[field(), chain()], false).await,
        (200, false)
    );
    assert_eq!(
        behind_proxy("192.0.2.7:40000", &[field()], false).await,
        (401, false)
    );
    for malformed in [
        vec![field(), field()],
        vec![chain()],
        vec![("client-cert", "?".to_owned())],
    ] {
        assert_eq!(behind_proxy(proxy, &malformed, false).await, (400, false));
    }
    // Neither wins in silence.
    assert_eq!(behind_proxy(proxy, &[field()], true).await, (400, false));
}
