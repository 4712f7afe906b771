//! Any bytes as a request on the revocation path.
//!
//! ```sh
//! cargo fuzz run --sanitizer none endpoint fuzz/corpus/endpoint fuzz/seeds/endpoint
//! ```
//!
//! The first byte is a [`Choice`]: the method, and which parts of the request are valid. The rest has
//! the query, the header fields, one in each line, and after an empty line the body.

#![no_main]

use std::{cell::Cell, cell::RefCell, collections::HashSet, convert::Infallible, sync::LazyLock};

use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Method, Request, Response, header, header::HeaderValue};
use libfuzzer_sys::fuzz_target;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    if let Some((request, secrets)) = request(Choice(choice), rest) {
        converse(Choice(choice), request, secrets);
    }
});

#[derive(Clone, Copy)]
struct Choice(u8);

impl Choice {
    fn method(self, query: &[u8]) -> Option<Method> {
        match self.0 & 7 {
            0 => Some(Method::OPTIONS),
            1 => Method::from_bytes(query).ok(),
            _ => Some(Method::POST),
        }
    }

    /// The media type is right.
    fn form(self) -> bool {
        self.0 & 8 != 0
    }

    /// The Authorization field is right.
    fn basic(self) -> bool {
        self.0 & 16 != 0
    }

    fn cors(self) -> bool {
        self.0 & 32 != 0
    }

    /// The first line of the body is a token, the second one a client secret. Both are correctly
    /// encoded.
    fn encoded(self) -> bool {
        self.0 & 64 != 0
    }

    /// The limits are low.
    fn narrow(self) -> bool {
        self.0 & 128 != 0
    }
}

type Secrets = Vec<Vec<u8>>;

/// A request, and the parts that the response must not contain. `None` if the bytes are not a head.
fn request(choice: Choice, bytes: &[u8]) -> Option<(Request<Full<Bytes>>, Secrets)> {
    let (head, body) = match bytes.windows(2).position(|window| window == b"\n\n") {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (&[][..], bytes),
    };
    let mut lines = head.split(|&byte| byte == b'\n');
    let query = lines.next().unwrap_or_default();
    let mut secrets = vec![query.to_vec(), body.to_vec()];

    let body = if choice.encoded() {
        encoded(choice, body, &mut secrets)
    } else {
        body.to_vec()
    };
    let mut request = Request::builder()
        .method(choice.method(query)?)
        .uri([b"/revoke?", query].concat().as_slice())
        .body(Full::from(Bytes::from(body)))
        .ok()?;
    let headers = request.headers_mut();
    for line in lines {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = header::HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(&line[colon + 1..]).ok()?);
    }
    if choice.form() {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
    }
    if choice.basic() {
        let basic = HeaderValue::from_static("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
        headers.insert(header::AUTHORIZATION, basic);
    }
    let authorization = headers.get_all(header::AUTHORIZATION).iter();
    secrets.extend(authorization.map(|value| value.as_bytes().to_vec()));
    Some((request, secrets))
}

fn encoded(choice: Choice, body: &[u8], secrets: &mut Secrets) -> Vec<u8> {
    let escape = |bytes: &[u8]| -> String {
        let escaped = bytes.iter().map(|byte| format!("%{byte:02X}"));
        escaped.collect()
    };
    let mut lines = body.splitn(3, |&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (token, secret, more) = (line(), line(), line());
    secrets.extend([token.to_vec(), secret.to_vec()]);

    let mut form = format!("token={}", escape(token));
    if !choice.basic() {
        form.push_str("&client_id=post-client&client_secret=");
        form.push_str(&escape(secret));
    }
    [form.as_bytes(), b"&", more].concat()
}

fn converse(choice: Choice, request: Request<Full<Bytes>>, secrets: Secrets) {
    let secrets = RefCell::new(secrets);
    let keep = |secret: &str| secrets.borrow_mut().push(secret.as_bytes().to_vec());
    let client = Cell::new(None);
    let outcome = Cell::new(None);
    let options = request.method() == Method::OPTIONS;
    // Fetch, CORS-preflight request.
    let preflight = options
        && request.headers().contains_key(header::ORIGIN)
        && (request.headers()).contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);

    let authenticator = service_fn(|request: Request<Credentials>| {
        assert!(!request.headers().contains_key(header::AUTHORIZATION));
        let answer = match request.body() {
            Credentials::Basic(basic) => {
                let readings = [basic.form_decoded(), basic.raw()];
                Ok(readings.into_iter().flatten().any(|(id, secret)| {
                    keep(secret.expose());
                    id == "s6BhdRkqt3" && secret.expose() == "gX1fBat3bV"
                }))
            }
            Credentials::Post {
                client_id,
                client_secret,
            } => {
                keep(client_secret.expose());
                Ok(client_id == "post-client" && client_secret.expose() == "p0st")
            }
            Credentials::ClientId { client_id } => Ok(client_id == "spa-1"),
            Credentials::Assertion {
                client_assertion, ..
            } => {
                keep(client_assertion.expose());
                Err(client_assertion.expose().to_owned())
            }
            _ => Ok(false),
        };
        client.set(Some(answer.clone().ok()));
        async { answer.map(|accepted| accepted.then_some("a client")) }
    });
    let backend = service_fn(|request: RevocationRequest<&str>| {
        assert_eq!(
            client.get(),
            Some(Some(true)),
            "the backend was called without an authenticated client"
        );
        let token = request.token.expose();
        assert!(!token.is_empty() && token.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
        keep(token);
        let answer = match token.len() % 5 {
            0 => Ok(Outcome::Revoked),
            1 => Ok(Outcome::NotFound),
            2 => Ok(Outcome::IssuedToAnother),
            3 => Ok(Outcome::Unsupported),
            _ => Err(token.to_owned()),
        };
        outcome.set(Some(answer.clone().ok()));
        async { answer }
    });
    let inner = service_fn(
        async |_: Request<Full<Bytes>>| -> Result<Response<Full<Bytes>>, Infallible> {
            unreachable!("the request is on the path")
        },
    );

    let mut layer = RevocationLayer::new("/revoke", authenticator, backend);
    if choice.cors() {
        layer = layer.cors([HeaderValue::from_static("https://spa.example")]);
    }
    if choice.narrow() {
        layer = layer.max_body(256).max_token(32);
    }
    let answer = layer.layer(inner).oneshot(request).now_or_never();
    let Ok(answer) = answer.expect("nothing waits for anything");
    let (head, body) = answer.into_parts();
    let body = body.collect().now_or_never().expect("it is there");
    let body = body.unwrap().to_bytes();

    let status = head.status.as_u16();
    match (client.get(), outcome.get()) {
        (_, Some(Some(Outcome::Revoked | Outcome::NotFound))) => assert_eq!(status, 200),
        (_, Some(Some(_))) => assert_eq!(status, 400),
        (Some(None), _) | (_, Some(None)) => assert_eq!(status, 503),
        (Some(Some(false)), None) => assert_eq!(status, 401),
        // The token is malformed.
        (Some(Some(true)), None) => assert_eq!(status, 400),
        // The CORS policy responds to a preflight.
        (None, None) if choice.cors() && preflight => assert_eq!(status, 200),
        (None, None) if options => assert_eq!(status, 204),
        (None, None) => assert!([400, 401, 405, 413, 415].contains(&status), "{status}"),
    }
    let has = |name| head.headers.contains_key(name);
    assert!(status != 200 || body.is_empty());
    assert_eq!(head.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(head.headers[header::PRAGMA], "no-cache");
    assert_eq!(head.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(status == 401, has(header::WWW_AUTHENTICATE));
    assert_eq!(status == 503, has(header::RETRY_AFTER));
    assert_nothing_comes_back(&secrets.borrow(), &head.headers, &body);
}

/// The response contains no run of this many bytes of the credentials and the token.
const RUN: usize = 8;

fn assert_nothing_comes_back(secrets: &[Vec<u8>], headers: &HeaderMap, body: &[u8]) {
    let values = headers.values().map(HeaderValue::as_bytes);
    let runs = values.chain([body]).flat_map(|text| text.windows(RUN));
    for run in runs.filter(|run| !OUR_WORDS.contains(*run)) {
        let holds = |secret: &Vec<u8>| secret.windows(RUN).any(|window| window == run);
        assert!(!secrets.iter().any(holds), "{}", run.escape_ascii());
    }
}

/// Every run of words in the library's own responses: the fuzzer learns them and sends them as secrets.
static OUR_WORDS: LazyLock<HashSet<&'static [u8]>> = LazyLock::new(|| {
    let texts = OUR_TEXTS.iter();
    texts
        .flat_map(|text| text.as_bytes().windows(RUN))
        .collect()
});

const OUR_TEXTS: &[&str] = &[
    r#"{"error":"invalid_request"}"#,
    r#"{"error":"invalid_request","error_description":"The request is malformed"}"#,
    r#"{"error":"invalid_request","error_description":"A parameter is repeated"}"#,
    r#"{"error":"invalid_request","error_description":"The body is not form-encoded UTF-8"}"#,
    r#"{"error":"invalid_request","error_description":"The parameter token is missing"}"#,
    r#"{"error":"invalid_request","error_description":"The request has too many parameters"}"#,
    r#"{"error":"invalid_request","error_description":"The token has characters that no token has"}"#,
    r#"{"error":"invalid_request","error_description":"The token is too long"}"#,
    r#"{"error":"invalid_request","error_description":"The request has more than one Content-Type field"}"#,
    r#"{"error":"invalid_request","error_description":"There is more than one Authorization field"}"#,
    r#"{"error":"invalid_request","error_description":"Tokens and secrets are not allowed in the query"}"#,
    r#"{"error":"invalid_request","error_description":"More than one client authentication method is used"}"#,
    r#"{"error":"invalid_request","error_description":"The client identifiers differ"}"#,
    r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#,
    r#"{"error":"invalid_grant","error_description":"The token was issued to another client"}"#,
    r#"{"error":"unsupported_token_type","error_description":"Tokens of this type cannot be revoked here"}"#,
    r#"{"error":"temporarily_unavailable"}"#,
    r#"Basic realm="oauth", charset="UTF-8""#,
    "application/json",
    "application/x-www-form-urlencoded",
    "no-store",
    "no-cache",
    "identity",
    "POST, OPTIONS",
    // CORS
    "https://spa.example",
    "authorization,content-type,oauth-client-attestation,oauth-client-attestation-pop",
    "retry-after,www-authenticate",
    "origin, access-control-request-method, access-control-request-headers",
];
