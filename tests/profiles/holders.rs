//! Callers that authenticate by a token of their own: those of Vault, and users of super clients.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{Request, Response};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Secret,
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::NumericDate,
    profiles::{Kustvakt, Possession, Profile, ProfileLayer, Vault},
};

use crate::world::{Endpoint, Introspect, World};

async fn send<P: Profile>(
    profile: P,
    endpoint: Endpoint,
    request: Request<Full<Bytes>>,
) -> Response<Full<Bytes>> {
    let nothing =
        service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
    let service = ProfileLayer::new("/profile", profile, endpoint).layer(nothing);
    let response = service.oneshot(request).await.unwrap();
    response.map(|body| match body {
        Either::Left(body) | Either::Right(body) => body,
    })
}

fn revoke_self(token: &str) -> Request<Full<Bytes>> {
    Request::post("/profile/revoke-self")
        .header("x-vault-token", token)
        .body(Full::default())
        .unwrap()
}

async fn end_itself(world: &World, token: &str) -> u16 {
    let index = Index::follow(&world.log).await.unwrap();
    let vault = Vault::new(world.introspect(), index);
    let response = send(vault, world.endpoint_of(Possession), revoke_self(token)).await;
    response.status().as_u16()
}

#[tokio::test]
async fn caller_needs_what_enforcement_needs() {
    use TokenKind::{AccessToken, RefreshToken};

    let future = NumericDate::new(NumericDate::now().seconds() + 3600);
    let world = World::default()
        .token("refresh", RefreshToken, "vault", |_| {})
        .token("early", AccessToken, "vault", |it| it.nbf = Some(future))
        .token("future", AccessToken, "vault", |it| it.iat = Some(future))
        .token("rotated", AccessToken, "vault", |it| it.rotated = true)
        .token("live", AccessToken, "vault", |_| {});
    for token in ["refresh", "early", "future", "rotated", "unknown"] {
        assert_eq!(end_itself(&world, token).await, 403, "{token}");
    }
    assert_eq!(end_itself(&world, "live").await, 204);
}

#[tokio::test]
async fn unknown_state_of_the_caller_is_503() {
    let world = World::default();
    let index = Index::follow(&world.log).await.unwrap();
    let failing = BoxCloneSyncService::new(service_fn(async |_: Secret| {
        Err::<Option<Introspection>, BoxError>("the issuer is away".into())
    }));
    let vault = Vault::new::<Introspect>(failing, index);
    let response = send(vault, world.endpoint_of(Possession), revoke_self("t")).await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    // An index that follows no log.
    let world = World::default().access("live", "vault", "ann");
    let vault = Vault::new(world.introspect(), Index::new());
    let response = send(vault, world.endpoint_of(Possession), revoke_self("live")).await;
    assert_eq!(response.status(), 503);
}

/// The session of a person has tokens of other apps.
#[tokio::test]
async fn token_without_a_tree_never_ends_its_session() {
    let in_session = |token: &mut Introspection| token.sid = Some("s1".to_owned());
    let world = World::default()
        .token("own", TokenKind::AccessToken, "app", in_session)
        .token("other", TokenKind::AccessToken, "other", in_session);
    assert_eq!(end_itself(&world, "own").await, 204);
    let index = Index::follow(&world.log).await.unwrap();
    let of = async |token: &str| world.introspect().oneshot(token.into()).await.unwrap();
    assert!(index.covers(&of("own").await.unwrap()));
    assert!(!index.covers(&of("other").await.unwrap()));
}

/// A call of `super-app` with the token of the user `ann`.
fn by_super_client(secret: &str, fields: &[&str]) -> Request<Full<Bytes>> {
    let mut request = Request::post("/profile/super")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(format!(
            "super_client_id=super-app&super_client_secret={secret}&token=plugin"
        )))
        .unwrap();
    for field in fields {
        let field = field.parse().unwrap();
        request.headers_mut().append("authorization", field);
    }
    request
}

async fn call_super(world: &World, request: Request<Full<Bytes>>) -> (u16, Vec<String>) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let introspect = world.introspect();
    let introspect = service_fn(move |token: Secret| {
        let _ = sender.send(token.expose().to_owned());
        introspect.clone().oneshot(token)
    });
    let index = Index::follow(&world.log).await.unwrap();
    let kustvakt = Kustvakt::new().super_clients(["super-app"], introspect, index);
    let response = send(kustvakt, world.endpoint(), request).await;
    let mut looked_up = Vec::new();
    while let Ok(token) = receiver.try_recv() {
        looked_up.push(token);
    }
    (response.status().as_u16(), looked_up)
}

fn of_ann() -> World {
    World::default()
        .access("user", "super-app", "ann")
        .access("plugin", "plugin", "ann")
}

#[tokio::test]
async fn users_token_is_looked_up_after_the_client_is_authenticated() {
    let world = of_ann().client("super-app", "secret");
    let wrong = call_super(&world, by_super_client("wrong", &["Bearer user"]));
    assert_eq!(wrong.await, (401, vec![]));
    let right = call_super(&world, by_super_client("secret", &["Bearer user"]));
    assert_eq!(right.await, (200, vec!["user".to_owned()]));
}

#[tokio::test]
async fn super_client_needs_a_secret_and_one_user() {
    let world = of_ann().client("super-app", "secret");
    let two = by_super_client("secret", &["Bearer user", "Bearer plugin"]);
    assert_eq!(call_super(&world, two).await, (400, vec![]));
    let none = by_super_client("secret", &[]);
    assert_eq!(call_super(&world, none).await, (401, vec![]));
    let world = of_ann().public("super-app");
    let public = by_super_client("", &["Bearer user"]);
    assert_eq!(call_super(&world, public).await, (401, vec![]));
}
