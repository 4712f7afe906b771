//! Calls that name a user or the client instead of a token.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{Request, Response};
use tower::{BoxError, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    ErrorKind, RevocationLayer,
    client::AuthMethod,
    enforce::Index,
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate},
    profiles::{Apigee, ProfileLayer, Square},
    revoke::RecordRevocation,
};

use crate::world::{Introspect, World};

const ONE: &str = "https://one.test";
const TWO: &str = "https://two.test";

type Record = RecordRevocation<Introspect, MemoryLog>;

fn record(world: &World) -> Record {
    RecordRevocation::new(world.introspect(), world.log.clone())
}

/// Sends an order of the client `app` by the profile of Square.
async fn order(
    world: &World,
    subject: &str,
    backend: impl FnOnce(Record) -> Record,
) -> Response<Full<Bytes>> {
    let backend = backend(record(world));
    let endpoint = RevocationLayer::new("/", world.clients(), backend).into_endpoint();
    let body = format!(r#"{{"client_id":"app","merchant_id":"{subject}"}}"#);
    let request = Request::post("/square")
        .header("authorization", "Client secret")
        .header("content-type", "application/json")
        .body(Full::from(body))
        .unwrap();
    send(ProfileLayer::new("/square", Square, endpoint), request).await
}

async fn send<L>(layer: L, request: Request<Full<Bytes>>) -> Response<Full<Bytes>>
where
    L: tower::Layer<NothingElse>,
    L::Service: Service<
            Request<Full<Bytes>>,
            Response = Response<Either<Full<Bytes>, Full<Bytes>>>,
            Error = Infallible,
        >,
{
    let response = layer.layer(NothingElse).oneshot(request).await.unwrap();
    response.map(|body| match body {
        Either::Left(body) | Either::Right(body) => body,
    })
}

#[derive(Clone)]
struct NothingElse;

impl Service<Request<Full<Bytes>>> for NothingElse {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        panic!("the request is for the profile")
    }
}

fn token(tenant: Option<&str>, subject: &str) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "app");
    token.sub = Some(subject.to_owned());
    token.tenant = tenant.map(str::to_owned);
    token.iat = Some(NumericDate::now());
    token
}

#[tokio::test]
async fn order_ends_the_tokens_of_every_tenant_of_the_client() {
    let world = World::default().client("app", "secret");
    let index = Index::follow(&world.log).await.unwrap();
    let response = order(&world, "ann", |it| it.client_orders_within([ONE, TWO])).await;
    assert_eq!(response.status(), 200);
    for tenant in [ONE, TWO] {
        assert!(index.covers(&token(Some(tenant), "ann")), "{tenant}");
        assert!(!index.covers(&token(Some(tenant), "bob")), "{tenant}");
    }
    assert!(!index.covers(&token(None, "ann")));
    assert_eq!(index.len(), 2);
}

#[tokio::test]
async fn order_without_a_known_tenant_is_refused() {
    let world = World::default().client("app", "secret");
    let index = Index::follow(&world.log).await.unwrap();
    let backends: [fn(Record) -> Record; 2] = [
        |it| it,
        |it| it.client_orders_within(std::iter::empty::<String>()),
    ];
    for backend in backends {
        assert_eq!(order(&world, "ann", backend).await.status(), 400);
    }
    assert!(index.is_empty());
}

#[tokio::test]
async fn client_that_names_too_many_subjects_gets_503_and_no_record() {
    let world = World::default().client("app", "secret");
    let index = Index::follow(&world.log).await.unwrap();
    let backend = record(&world).quota(2).client_orders_within([ONE]);
    for (subject, status) in [("a", 200), ("b", 200), ("c", 503), ("a", 200)] {
        let response = order(&world, subject, |_| backend.clone()).await;
        assert_eq!(response.status(), status, "{subject}");
    }
    assert_eq!(index.len(), 2);
}

#[tokio::test]
async fn order_obeys_the_rules_of_the_endpoint() {
    let world = World::default()
        .client("app", "secret")
        .public("public-app");
    let index = Index::follow(&world.log).await.unwrap();
    let form = |query: &str, basic: bool, body: &str| {
        let request = Request::post(format!("/apigee{query}"))
            .header("content-type", "application/x-www-form-urlencoded");
        let request = if basic {
            request.header("authorization", "Basic YXBwOnNlY3JldA==")
        } else {
            request
        };
        request.body(Full::from(body.to_owned())).unwrap()
    };
    let methods = [AuthMethod::ClientSecretBasic, AuthMethod::None];
    for (request, status) in [
        // The method is not offered.
        (
            form(
                "",
                false,
                "client_id=app&client_secret=secret&end_user_id=ann",
            ),
            401,
        ),
        // Nobody has proved anything.
        (form("", false, "client_id=public-app&end_user_id=ann"), 401),
        (form("?client_secret=secret", true, "end_user_id=ann"), 400),
        (form("", true, "client_secret=secret&end_user_id=ann"), 400),
        (form("", true, "end_user_id=ann"), 200),
    ] {
        let endpoint = RevocationLayer::new(
            "/",
            world.clients(),
            record(&world).client_orders_within([ONE]),
        )
        .auth_methods(methods)
        .into_endpoint();
        assert!(index.is_empty());
        let layer = ProfileLayer::new("/apigee", Apigee, endpoint);
        assert_eq!(send(layer, request).await.status(), status);
    }
    assert_eq!(index.len(), 1);
}

#[tokio::test]
async fn order_that_cannot_be_recorded_is_503_with_the_delay_of_the_endpoint() {
    let world = World::default().client("app", "secret");
    let unavailable = service_fn(async |_: tower_revocation::RevocationRequest<_>| {
        let error = tower_revocation::Error::new(ErrorKind::Unavailable);
        Err::<tower_revocation::Outcome, BoxError>(error.into())
    });
    let endpoint = RevocationLayer::new("/", world.clients(), unavailable)
        .retry_after(Duration::from_secs(9))
        .into_endpoint();
    let request = Request::post("/square")
        .header("authorization", "Client secret")
        .header("content-type", "application/json")
        .body(Full::from(r#"{"client_id":"app","merchant_id":"ann"}"#))
        .unwrap();
    let response = send(ProfileLayer::new("/square", Square, endpoint), request).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "9");
}
