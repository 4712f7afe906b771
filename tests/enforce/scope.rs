//! Scopes: a token needs all that a route requires (RFC 6750 §3.1).

use std::{
    convert::Infallible,
    future::{Future as _, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, StatusCode, body::Bytes, header};
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    enforce::{EnforcementLayer, Policy, Refused, ScopeLayer, Verdict},
    introspect::{Introspection, Scope},
};
use tower_test::mock;

use crate::fixture::{Known, good, request, with_token};

fn with_scope(scope: &str) -> Introspection {
    let mut token = good();
    token.scope = Some(Scope::new(scope));
    token
}

fn bare(token: Option<Introspection>) -> Request<Full<Bytes>> {
    let mut request = request(None);
    if let Some(token) = token {
        request.extensions_mut().insert(token);
    }
    request
}

async fn respond(layer: &ScopeLayer, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
    let api = service_fn(async |request: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let Ok(response) = layer.layer(api).oneshot(request).await;
    response
}

async fn status(layer: &ScopeLayer, token: &Introspection) -> StatusCode {
    respond(layer, bare(Some(token.clone()))).await.status()
}

fn verdict(response: &Response<Full<Bytes>>) -> Option<Verdict> {
    response.extensions().get::<Refused>().map(Refused::verdict)
}

fn challenge(response: &Response<Full<Bytes>>) -> &str {
    response.headers()[header::WWW_AUTHENTICATE]
        .to_str()
        .unwrap()
}

#[tokio::test]
async fn token_passes_with_every_required_scope_and_not_with_fewer() {
    let one = ScopeLayer::new("files:read");
    let both = ScopeLayer::all(["files:read", "files:write"]);
    for (scope, passes_one, passes_both) in [
        ("files:read", true, false),
        ("files:write files:read", true, true),
        ("  files:read  files:write ", true, true),
        ("files:write", false, false),
        ("files:readonly", false, false),
        ("files", false, false),
        ("FILES:READ", false, false),
        ("", false, false),
    ] {
        let expected = |passes| {
            if passes {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            }
        };
        let token = with_scope(scope);
        assert_eq!(status(&one, &token).await, expected(passes_one), "{scope}");
        assert_eq!(
            status(&both, &token).await,
            expected(passes_both),
            "{scope}"
        );
    }
    assert_eq!(
        status(&one, &good()).await,
        StatusCode::FORBIDDEN,
        "no scope"
    );
}

#[tokio::test]
async fn refusal_is_403_and_names_the_required_scopes() {
    let layer = ScopeLayer::all(["files:read", "files:write"]);
    let response = respond(&layer, bare(Some(with_scope("profile")))).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        challenge(&response),
        "Bearer realm=\"api\", error=\"insufficient_scope\", \
         error_description=\"The token lacks a scope\", scope=\"files:read files:write\""
    );
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::CONTENT_LENGTH], "0");
    assert_eq!(verdict(&response), Some(Verdict::InsufficientScope));
}

#[tokio::test]
async fn challenge_has_the_scheme_of_the_request_and_the_configured_parameters() {
    let layer = ScopeLayer::new("read")
        .realm("files")
        .resource_metadata("https://api.example.com/.well-known/oauth-protected-resource");
    let mut request = request(Some("dpop mF_9.B5f-4.1JqM"));
    request.extensions_mut().insert(good());
    let response = respond(&layer, request).await;
    assert_eq!(
        challenge(&response),
        "DPoP realm=\"files\", error=\"insufficient_scope\", \
         error_description=\"The token lacks a scope\", scope=\"read\", \
         resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\""
    );
}

#[tokio::test]
async fn request_without_an_introspection_is_refused() {
    let response = respond(&ScopeLayer::new("read"), bare(None)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(challenge(&response), r#"Bearer realm="api", scope="read""#);
    assert_eq!(verdict(&response), Some(Verdict::Missing));
}

#[tokio::test]
async fn grpc_gets_permission_denied_unless_the_layer_responds_in_http() {
    for (token, grpc, http) in [
        (Some(good()), "7", StatusCode::FORBIDDEN),
        (None, "16", StatusCode::UNAUTHORIZED),
    ] {
        let request = || {
            let mut request = bare(token.clone());
            let media_type = "application/grpc".parse().unwrap();
            request
                .headers_mut()
                .insert(header::CONTENT_TYPE, media_type);
            request
        };
        let layer = ScopeLayer::new("read");
        let response = respond(&layer, request()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["grpc-status"], grpc);

        let response = respond(&layer.respond_in_http(true), request()).await;
        assert_eq!(response.status(), http);
        assert!(!response.headers().contains_key("grpc-status"));
    }
}

#[tokio::test]
async fn layer_reads_what_enforcement_has_found() {
    let api = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let known = Known::with(with_scope("read"));
    for (scope, anonymous, request, expected) in [
        ("read", false, with_token(), StatusCode::OK),
        ("write", false, with_token(), StatusCode::FORBIDDEN),
        // The route needs a token, although the policy does not.
        ("read", true, request(None), StatusCode::UNAUTHORIZED),
    ] {
        let enforcement = EnforcementLayer::by_introspection(known.service())
            .policy(Policy::new().anonymous(anonymous));
        let service = enforcement.layer(ScopeLayer::new(scope).layer(api));
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), expected, "{scope}");
    }
}

#[tokio::test]
async fn readiness_is_that_of_the_inner_service() {
    let (inner, mut handle) = mock::pair::<Request<Full<Bytes>>, Response<Empty<Bytes>>>();
    let mut service = ScopeLayer::new("read").layer(inner);
    handle.allow(0);
    let mut readiness = task::spawn(());
    assert_pending!(readiness.enter(|cx, _| service.poll_ready(cx)));
    handle.allow(1);
    assert_ready_ok!(readiness.enter(|cx, _| service.poll_ready(cx)));
    let mut response = task::spawn(service.call(bare(Some(with_scope("read")))));
    assert_pending!(response.poll());
    let (_, respond) = handle.next_request().await.unwrap();
    respond.send_response(Response::new(Empty::new()));
    assert_eq!(assert_ready_ok!(response.poll()).status(), StatusCode::OK);
}

#[test]
fn passing_costs_no_allocation() {
    let api = service_fn(|_: Request<Full<Bytes>>| {
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let mut service = ScopeLayer::all(["read", "write"]).layer(api);
    let mut request = Some(bare(Some(with_scope("profile write read"))));
    let mut passed = false;
    let allocated = measure(|| {
        let mut cx = Context::from_waker(Waker::noop());
        let future = pin!(service.call(request.take().unwrap()));
        let Poll::Ready(Ok(response)) = future.poll(&mut cx) else {
            panic!("nothing here waits");
        };
        passed = response.status() == StatusCode::OK;
    });
    assert!(passed);
    assert_eq!(allocated.count_total, 0);
}

#[test]
#[should_panic(expected = "a scope is visible ASCII without a space")]
fn two_scopes_in_one_text_are_not_a_scope() {
    let _ = ScopeLayer::new("read write");
}

#[test]
#[should_panic(expected = "a scope is visible ASCII without a space")]
fn scope_with_a_quote_is_not_a_scope() {
    let _ = ScopeLayer::all(["read", "wr\"ite"]);
}

#[test]
#[should_panic(expected = "a scope layer requires a scope")]
fn layer_without_scopes_is_not_a_scope_layer() {
    let _ = ScopeLayer::all(std::iter::empty::<String>());
}
