//! The options of a profile reach the backend, or the response is an error.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{Request, Response, http::Extensions};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    BackendExtensions, ByHint, Outcome, RevocationLayer, RevocationRequest, SuccessBody,
    enforce::Index,
    introspect::{Introspection, TokenKind},
    profiles::{Auth0, Connect2id, Kustvakt, Okta, Profile, ProfileLayer, Wso2},
    revoke::{RecordRevocation, RevocationOptions},
};

use crate::world::{Endpoint, World};

async fn send<P: Profile, E>(
    profile: P,
    endpoint: E,
    request: Request<Full<Bytes>>,
) -> Response<Full<Bytes>>
where
    E: tower::Service<Request<Full<Bytes>>, Response = Response<Full<Bytes>>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    E::Future: Send,
{
    let nothing =
        service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
    let service = ProfileLayer::new("/profile", profile, endpoint).layer(nothing);
    let response = service.oneshot(request).await.unwrap();
    response.map(|body| match body {
        Either::Left(body) | Either::Right(body) => body,
    })
}

fn form(body: &str) -> Request<Full<Bytes>> {
    Request::post("/profile")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(format!(
            "client_id=app&client_secret=secret&{body}"
        )))
        .unwrap()
}

fn of_subject(subject: &'static str) -> impl Fn(&mut Introspection) {
    move |token| token.sub = Some(subject.to_owned())
}

#[tokio::test]
async fn backend_that_ignores_the_options_is_500() {
    let world = World::default().client("app", "secret");
    let ignorant = service_fn(async |_: RevocationRequest<_>| Ok::<_, BoxError>(Outcome::Revoked));
    let endpoint = RevocationLayer::new("/", world.clients(), ignorant).into_endpoint();
    let response = send(Connect2id::new(), endpoint.clone(), form("token=t")).await;
    assert_eq!(response.status(), 500);
    // Okta asks for nothing.
    let response = send(Okta, endpoint, form("token=t")).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn options_of_an_outer_layer_stay() {
    let world = World::default()
        .client("app", "secret")
        .token("of-ann", TokenKind::AccessToken, "app", of_subject("ann"))
        .token("of-bob", TokenKind::AccessToken, "app", of_subject("bob"));
    for (token, status) in [("of-bob", 400), ("of-ann", 200)] {
        let mut outer = Extensions::new();
        outer.insert(RevocationOptions::new().subject("ann"));
        let mut request = form(&format!("token={token}"));
        request.extensions_mut().insert(BackendExtensions(outer));
        let response = send(Connect2id::new(), world.endpoint(), request).await;
        assert_eq!(response.status(), status, "{token}");
    }
}

/// The first backend knows the token as that of another client.
#[tokio::test]
async fn response_names_the_token_that_was_revoked() {
    let theirs = World::default().token("t", TokenKind::AccessToken, "other", of_subject("eve"));
    let world = World::default().client("app", "secret").token(
        "t",
        TokenKind::RefreshToken,
        "app",
        of_subject("ann"),
    );
    let record = |world: &World| RecordRevocation::new(world.introspect(), world.log.clone());
    let backend = ByHint::new(record(&theirs), record(&world));
    let endpoint = RevocationLayer::new("/", world.clients(), backend).into_endpoint();
    let profile = Wso2::new().echo_digests(true);
    let response = send(
        profile,
        endpoint,
        form("token=t&token_type_hint=access_token"),
    )
    .await;
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("revokedrefreshtoken"));
    assert!(!response.headers().contains_key("revokedaccesstoken"));
}

fn with_object(world: &World) -> Endpoint {
    let backend = RecordRevocation::new(world.introspect(), world.log.clone())
        .responsible_for_all_tokens(true);
    let layer = RevocationLayer::new("/", world.clients(), backend);
    let layer = layer.success_body(SuccessBody::EmptyObject);
    tower::util::BoxCloneSyncService::new(layer.into_endpoint())
}

#[tokio::test]
async fn body_is_that_of_the_profile_whatever_the_endpoint_sends() {
    use http_body_util::BodyExt as _;

    let world = || {
        World::default()
            .client("app", "secret")
            .access("theirs", "other", "ann")
    };
    for token in ["theirs", "unknown"] {
        let world = world();
        let response = send(
            Auth0::new(),
            with_object(&world),
            form(&format!("token={token}")),
        )
        .await;
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key("content-type"), "{token}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body.is_empty(), "{token}");
    }
    let plain = Kustvakt::new().success_body(false);
    let wso2 = send(Wso2::new(), with_object(&world()), form("token=a")).await;
    let kustvakt = send(plain, with_object(&world()), form("token=a")).await;
    for response in [wso2, kustvakt] {
        assert!(!response.headers().contains_key("content-length"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body.is_empty());
    }
}

/// A parser could take these for credentials. The endpoint does not.
#[tokio::test]
async fn client_without_a_proof_revokes_one_token_whatever_else_it_sends() {
    for (field, body) in [
        (Some("Bearer x"), ""),
        (None, "&client_secret="),
        (None, "&client_assertion="),
        (None, ""),
    ] {
        let world = World::default()
            .public("app")
            .family("refresh", "access", "app");
        let index = Index::follow(&world.log).await.unwrap();
        let mut request = Request::post("/profile")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::from(format!("client_id=app&token=refresh{body}")))
            .unwrap();
        if let Some(field) = field {
            let field = field.parse().unwrap();
            request.headers_mut().insert("authorization", field);
        }
        let response = send(Wso2::new(), world.endpoint(), request).await;
        assert_eq!(response.status(), 200, "{body}");
        let access = world.introspect().oneshot("access".into()).await.unwrap();
        assert!(!index.covers(&access.unwrap()), "{body}");
    }
}
