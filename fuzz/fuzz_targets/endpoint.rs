//! Any bytes as a request on the revoke path.
//!
//! ```sh
//! cargo fuzz run --sanitizer none endpoint fuzz/corpus/endpoint fuzz/seeds/endpoint
//! ```
//!
//! The first octet chooses the method and how much of the request is sound already; the rest is,
//! line by line, the query, the fields, and after an empty line the body.

#![no_main]

use std::{cell::Cell, convert::Infallible, rc::Rc};

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
    if let Some(request) = request(choice, rest) {
        converse(choice, request);
    }
});

/// Nothing if the bytes cannot even be a request's head.
fn request(choice: u8, bytes: &[u8]) -> Option<Request<Full<Bytes>>> {
    let (head, body) = match bytes.windows(2).position(|window| window == b"\n\n") {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (&[][..], bytes),
    };
    let mut lines = head.split(|&octet| octet == b'\n');
    let query = lines.next().unwrap_or_default();
    let uri = [b"/revoke?", query].concat();

    let method = match choice & 7 {
        0 => Method::OPTIONS,
        1 => Method::GET,
        _ => Method::POST,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(uri.as_slice())
        .body(Full::from(Bytes::copy_from_slice(body)))
        .ok()?;
    let headers = request.headers_mut();
    for line in lines {
        let colon = line.iter().position(|&octet| octet == b':')?;
        let name = header::HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(&line[colon + 1..]).ok()?);
    }
    if choice & 8 != 0 {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
    }
    if choice & 16 != 0 {
        let basic = HeaderValue::from_static("Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
        headers.insert(header::AUTHORIZATION, basic);
    }
    Some(request)
}

fn converse(choice: u8, request: Request<Full<Bytes>>) {
    let accepted = Rc::new(Cell::new(false));
    let outcome = Rc::new(Cell::new(None));
    let secrets = Rc::new(Cell::new(Vec::new()));

    let authenticator = service_fn(|request: Request<Credentials>| {
        assert!(!request.headers().contains_key(header::AUTHORIZATION));
        let mut presented = vec![];
        let client = match request.body() {
            Credentials::Basic(basic) => {
                presented.extend(basic.raw().map(|(_, secret)| secret.expose().to_owned()));
                basic.form_decoded().map(|(id, _)| id)
            }
            Credentials::Post {
                client_id,
                client_secret,
            } => {
                presented.push(client_secret.expose().to_owned());
                Some(client_id.clone())
            }
            Credentials::ClientId { client_id } => Some(client_id.clone()),
            Credentials::Assertion {
                client_assertion, ..
            } => {
                presented.push(client_assertion.expose().to_owned());
                None
            }
            _ => None,
        };
        secrets.set(presented);
        accepted.set(client.is_some());
        async { Ok::<_, Infallible>(client) }
    });
    let backend = service_fn(|request: RevocationRequest<String>| {
        assert!(
            accepted.get(),
            "the token was looked up before the client was known"
        );
        let token = request.token.expose();
        assert!(!token.is_empty() && token.bytes().all(|octet| (0x20..0x7f).contains(&octet)));
        let mut presented = secrets.take();
        presented.push(token.to_owned());
        secrets.set(presented);
        let answer = match token.len() % 5 {
            0 => Ok(Outcome::Revoked),
            1 => Ok(Outcome::NotFound),
            2 => Ok(Outcome::IssuedToAnother),
            3 => Ok(Outcome::Unsupported),
            _ => Err("the store is down"),
        };
        outcome.set(Some(answer));
        async move { answer }
    });
    let inner = service_fn(
        async |_: Request<Full<Bytes>>| -> Result<Response<Full<Bytes>>, Infallible> {
            unreachable!("the request is on the path")
        },
    );

    let mut layer = RevocationLayer::new("/revoke", authenticator, backend);
    if choice & 32 != 0 {
        layer = layer.cors([HeaderValue::from_static("https://spa.example")]);
    }
    let answer = layer.layer(inner).oneshot(request).now_or_never();
    let Ok(answer) = answer.expect("nothing waits for anything");
    let (head, body) = answer.into_parts();
    let body = body
        .collect()
        .now_or_never()
        .expect("it is there")
        .unwrap()
        .to_bytes();

    let status = head.status.as_u16();
    assert!(
        [200, 204, 400, 401, 405, 413, 415, 503].contains(&status),
        "{status}"
    );
    assert_eq!(head.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(head.headers[header::PRAGMA], "no-cache");
    assert_eq!(head.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(
        status == 401,
        head.headers.contains_key(header::WWW_AUTHENTICATE)
    );
    assert_eq!(
        status == 503,
        head.headers.contains_key(header::RETRY_AFTER)
    );
    match (status, outcome.get()) {
        (200, Some(Ok(Outcome::Revoked | Outcome::NotFound))) => assert!(body.is_empty()),
        // A preflight is answered by the policy.
        (200, None) => assert!(
            head.headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_METHODS)
        ),
        (200, _) => panic!("success without the effect"),
        (_, Some(Ok(Outcome::Revoked | Outcome::NotFound))) => panic!("an effect without success"),
        _ => {}
    }
    for secret in secrets.take() {
        assert_nowhere(&secret, &head.headers, &body);
    }
}

/// What the peer presented does not come back.
fn assert_nowhere(secret: &str, headers: &HeaderMap, body: &[u8]) {
    // The fuzzer learns our own words. These characters are in none of them.
    if secret.len() < 4 || !secret.contains(['~', '|', '^']) {
        return;
    }
    let holds = |text: &[u8]| {
        text.windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    assert!(!holds(body));
    assert!(headers.values().all(|value| !holds(value.as_bytes())));
}
