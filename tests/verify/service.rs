//! The service in HTTP.

use std::pin::Pin;

use futures::FutureExt as _;
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Body as _, Bytes, Frame},
};
use tower::{BoxError, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Policy},
    introspect::{Introspection, TokenKind},
    proxy::{IdentityHeaders, VerifyBody, VerifyService},
};

use crate::world::{Authority, Mode};

/// The response to a question without a body.
pub(crate) async fn ask<S>(
    service: S,
    question: hyper::http::request::Builder,
) -> Response<VerifyBody>
where
    S: Service<Request<()>, Response = Response<VerifyBody>>,
    S::Error: std::fmt::Debug,
{
    service.oneshot(question.body(()).unwrap()).await.unwrap()
}

/// All fields, sorted.
fn fields(response: &Response<VerifyBody>) -> Vec<(&str, &str)> {
    let fields = response.headers().iter();
    let mut fields: Vec<_> = fields
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    fields.sort_unstable();
    fields
}

#[tokio::test]
async fn permission_is_200_with_every_identity_field() {
    let authority = Authority::new().await;
    let cases = [
        (authority.live(), "alice", "c1"),
        (authority.live_without_subject(), "", "service"),
    ];
    for (authorization, subject, client) in cases {
        let question = Request::get("/verify").header("authorization", authorization);
        let response = ask(authority.service(), question).await;
        assert_eq!(response.status(), StatusCode::OK);
        let expected = [
            ("cache-control", "no-store"),
            ("content-length", "0"),
            ("x-token-client", client),
            ("x-token-subject", subject),
        ];
        assert_eq!(fields(&response), expected);
        assert!(response.body().is_end_stream());
    }
}

#[tokio::test]
async fn refusals_are_those_of_the_layer_without_identity() {
    let authority = Authority::new().await;
    let expired = authority.issuer.token().expired().sign();
    let bare = "Bearer realm=\"api\"";
    let invalid = "Bearer realm=\"api\", error=\"invalid_token\", \
        error_description=\"The token is expired, revoked or not valid here\"";
    let malformed = "Bearer realm=\"api\", error=\"invalid_request\", \
        error_description=\"The Authorization field is malformed\"";
    for (authorization, status, challenge) in [
        (None, 401, bare),
        (Some("Basic YTpi"), 401, bare),
        (Some("Bearer abc"), 401, invalid),
        (Some(&*format!("Bearer {expired}")), 401, invalid),
        (Some("Bearer"), 400, malformed),
    ] {
        let mut question = Request::get("/verify").header("x-token-subject", "root");
        if let Some(authorization) = authorization {
            question = question.header("authorization", authorization);
        }
        let response = ask(authority.service(), question).await;
        assert_eq!(response.status(), status, "{authorization:?}");
        let expected = [
            ("cache-control", "no-store"),
            ("content-length", "0"),
            ("www-authenticate", challenge),
        ];
        assert_eq!(fields(&response), expected, "{authorization:?}");
    }
}

#[tokio::test]
async fn unknown_is_503_with_a_time() {
    let authority = Authority::new().await;
    authority.set(Mode::Fails);
    let question = Request::get("/verify").header("authorization", authority.live());
    let response = ask(authority.service(), question).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let expected = [
        ("cache-control", "no-store"),
        ("content-length", "0"),
        ("retry-after", "1"),
    ];
    assert_eq!(fields(&response), expected);
}

#[tokio::test]
async fn refusal_of_a_call_of_grpc_is_no_200() {
    let authority = Authority::new().await;
    for media_type in [
        "application/grpc",
        "application/grpc+proto",
        "application/grpc;charset=utf-8",
        "Application/gRPC",
    ] {
        let question = Request::post("/verify").header("content-type", media_type);
        let response = ask(authority.service(), question).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{media_type}");
        assert!(!response.headers().contains_key("grpc-status"));
    }
    // However the layer is set.
    let layer = authority.layer.clone().respond_in_http(false);
    let service = VerifyService::new(layer, IdentityHeaders::new());
    let question = Request::post("/verify").header("content-type", "application/grpc");
    assert_eq!(
        ask(service, question).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn every_method_is_answered_on_the_path_and_below() {
    let authority = Authority::new().await;
    for method in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND",
    ] {
        for path in [
            "/verify",
            "/verify?a=b",
            "/verify/",
            "/verify/a/b",
            "/verify//a",
            "/verify/../a",
        ] {
            let question = || Request::builder().method(method).uri(path);
            let live = question().header("authorization", authority.live());
            assert_eq!(
                ask(authority.service(), live).await.status(),
                200,
                "{method} {path}"
            );
            assert_eq!(
                ask(authority.service(), question()).await.status(),
                401,
                "{method} {path}"
            );
        }
        for path in [
            "/",
            "/verif",
            "/verifyx",
            "/Verify",
            "//verify",
            "/a/verify",
            "/verify%2Fa",
        ] {
            let question = Request::builder().method(method).uri(path);
            let live = question.header("authorization", authority.live());
            assert_eq!(
                ask(authority.service(), live).await.status(),
                404,
                "{method} {path}"
            );
        }
    }
    let moved = authority.service().path("/internal/check");
    let live = |path| Request::get(path).header("authorization", authority.live());
    assert_eq!(
        ask(moved.clone(), live("/internal/check/a")).await.status(),
        200
    );
    assert_eq!(ask(moved, live("/verify")).await.status(), 404);
}

#[test]
fn path_that_no_request_has_panics() {
    for path in ["", "verify", "/", "/verify/", "/verify?", "/verify#a"] {
        let set = std::panic::catch_unwind(|| {
            let layer = EnforcementLayer::by_introspection(service_fn(async |_: Secret| {
                Ok::<_, BoxError>(None::<Introspection>)
            }));
            drop(VerifyService::new(layer, IdentityHeaders::new()).path(path));
        });
        assert!(set.is_err(), "{path}");
    }
}

#[tokio::test]
async fn joined_authorization_fields_are_two() {
    let authority = Authority::new().await;
    let service = || {
        authority
            .service()
            .trusted_proxies(["127.0.0.1".parse().unwrap()])
    };
    let live = authority.live();
    for authorization in [
        format!("{live}, Basic YTpi"),
        format!("{live},{live}"),
        format!("Basic YTpi,{live}"),
        format!("Basic YTpi, bearer\t{live}"),
        format!(
            "Basic YTpi, Digest a=\"b\" , {}",
            live.replace("Bearer", "dPoP")
        ),
        "Basic YTpi,Bearer".to_owned(),
    ] {
        // On a route without a token the layer ignores what is no token.
        let question = crate::routes::health().header("authorization", &*authorization);
        let response = ask(service(), question).await;
        assert_eq!(response.status(), 400, "{authorization}");
    }
    for authorization in [
        "Digest username=\"a\", realm=\"b\"",
        "Basic YTpi",
        "Custom bear,a",
    ] {
        let question = crate::routes::health().header("authorization", authorization);
        assert_eq!(
            ask(service(), question).await.status(),
            200,
            "{authorization}"
        );
    }
}

#[tokio::test]
async fn next_question_after_a_revocation_is_refused() {
    let authority = Authority::new().await;
    let service = authority.service();
    let question = || Request::get("/verify").header("authorization", authority.live());
    assert_eq!(ask(service.clone(), question()).await.status(), 200);
    authority.revoke_grant("g1").await;
    assert_eq!(ask(service, question()).await.status(), 401);
}

#[tokio::test]
async fn body_is_not_read() {
    let authority = Authority::new().await;
    let endless = futures::stream::repeat_with(|| -> Result<Frame<Bytes>, BoxError> {
        panic!("the body is read");
    });
    let body: UnsyncBoxBody<Bytes, BoxError> =
        http_body_util::StreamBody::new(endless).boxed_unsync();
    let request = Request::post("/verify").header("authorization", authority.live());
    let response = authority
        .service()
        .oneshot(request.body(body).unwrap())
        .await;
    assert_eq!(response.unwrap().status(), 200);
}

/// The streams of a policy are not cut here: there are none. So a permission keeps nothing.
#[tokio::test]
async fn policy_that_cuts_streams_permits_too() {
    let introspect = service_fn(async |_: Secret| {
        Ok::<_, BoxError>(Some(Introspection::new(TokenKind::AccessToken, "c1")))
    });
    let layer =
        EnforcementLayer::by_introspection(introspect).policy(Policy::new().cut_streams(true));
    let service = VerifyService::new(layer, IdentityHeaders::new());
    let question = Request::get("/verify").header("authorization", "Bearer abc");
    assert_eq!(ask(service, question).await.status(), 200);
}

/// As people spawn it.
#[tokio::test]
async fn service_is_spawned() {
    let authority = Authority::new().await;
    let mut service = authority.service();
    let question = Request::get("/verify").body(()).unwrap();
    let response = tokio::spawn(async move {
        let service = Pin::new(&mut service).get_mut();
        service
            .call(question)
            .now_or_never()
            .expect("nothing to wait for")
    });
    assert_eq!(response.await.unwrap().unwrap().status(), 401);
}
