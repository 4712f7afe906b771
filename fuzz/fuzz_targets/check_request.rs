//! Any bytes as a call of Envoy's `ext_authz`.
//!
//! ```sh
//! cargo fuzz run --sanitizer none check_request fuzz/corpus/check_request fuzz/seeds/check_request
//! ```
//!
//! The first byte says whether the proxy is trusted, and whether the rest is a body or a message
//! without its frame. The only live token is `live`.

#![no_main]

use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, header::HeaderName};
use libfuzzer_sys::fuzz_target;
use tower::{BoxError, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    client::PeerAddr,
    enforce::{EnforcementLayer, Policy},
    introspect::{Introspection, TokenKind},
    proxy::{IdentityHeaders, VerifyService, ext_authz::ExtAuthzService},
};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let is_trusted = choice & 1 != 0;
    let body = if choice & 2 != 0 {
        let length = u32::try_from(rest.len()).unwrap().to_be_bytes();
        [&[0][..], &length, rest].concat()
    } else {
        rest.to_vec()
    };
    let permits = permits(is_trusted, body);
    // A permission comes from the token, or from the route and a trusted proxy.
    let has = |text: &[u8]| rest.windows(text.len()).any(|part| part == text);
    assert!(!permits || has(b"live") || is_trusted && has(b"/health"));
});

/// Whether the service permits. It always says something.
fn permits(is_trusted: bool, body: Vec<u8>) -> bool {
    let introspect = service_fn(async |token: Secret| {
        let is_live = token.expose() == "live";
        let token = is_live.then(|| Introspection::new(TokenKind::AccessToken, "c1"));
        Ok::<_, BoxError>(token)
    });
    let layer = EnforcementLayer::by_introspection(introspect)
        .policy_by(|head| Policy::new().anonymous(head.uri.path() == "/health"));
    let identity = IdentityHeaders::new().client(HeaderName::from_static("x-token-client"));
    let verify = VerifyService::new(layer, identity);
    let verify = verify.trusted_proxies(["127.0.0.1".parse().unwrap()]);

    let peer = if is_trusted {
        "127.0.0.1:1"
    } else {
        "192.0.2.7:1"
    };
    let request = Request::post("/envoy.service.auth.v3.Authorization/Check")
        .header("content-type", "application/grpc")
        .extension(PeerAddr(peer.parse().unwrap()));
    let request = request.body(Full::<Bytes>::from(body)).unwrap();
    let response = ExtAuthzService::new(verify).oneshot(request);
    let response = response.now_or_never().expect("nothing waits").unwrap();
    assert_eq!(response.status(), 200);
    let collected = response
        .into_body()
        .collect()
        .now_or_never()
        .unwrap()
        .unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    let message = &collected.to_bytes()[5..];
    // `status` comes first: empty if the code is 0, or two bytes with the code.
    match message {
        [0x0a, 0, 0x1a, ..] => true,
        [0x0a, 2, 0x08, code, 0x12, ..] if *code != 0 => false,
        other => panic!("{other:?}"),
    }
}
