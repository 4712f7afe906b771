//! Links in front of a server that revokes, but tells nobody.

use tower_revocation::{
    RevocationLayer,
    client::{Credentials, KeepCredentials, UnverifiedClients},
    revoke::ForwardRevocation,
};

use super::*;
use crate::authorization_server::{Does, Server};

fn responds(status: StatusCode, body: &'static str) -> Does {
    let response = Response::builder().status(status);
    let response = response.header(CONTENT_TYPE, "application/json");
    Does::Respond(response.body(Full::from(body)).unwrap())
}

fn request(token: &str) -> Request<Full<Bytes>> {
    let form = format!("client_id=test-client&token={token}");
    let request = Request::post("/revoke").header(CONTENT_TYPE, FORM);
    request.body(Full::from(form)).unwrap()
}

#[tokio::test]
async fn forwarded_refresh_token_ends_its_access_tokens() {
    let world = World::new().await;
    let server = Server::start(responds(StatusCode::OK, "")).await;
    let backend = ForwardRevocation::new(&server.uri(), world.record()).unwrap();
    let clients = service_fn(async |request: Request<Credentials>| {
        let client_id = request.body().claimed_client_id();
        Ok::<_, BoxError>(client_id.map(std::borrow::Cow::into_owned))
    });
    let layer = RevocationLayer::new("/revoke", KeepCredentials::new(clients), backend);
    let endpoint = layer.into_endpoint();

    let [access, refresh] = world.login().await;
    let [other, _] = world.login().await;
    server.does(responds(
        StatusCode::BAD_REQUEST,
        r#"{"error":"invalid_client"}"#,
    ));
    let response = endpoint.clone().oneshot(request(&refresh)).await.unwrap();
    assert_ne!(response.status(), StatusCode::OK);
    assert!(world.is_live(&access).await);

    server.does(responds(StatusCode::OK, ""));
    let response = endpoint.clone().oneshot(request(&refresh)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!world.is_live(&access).await && world.is_live(&other).await);
}

/// The 200 of the other server proves no ownership.
#[tokio::test]
async fn client_that_nobody_verified_here_ends_only_the_refresh_token() {
    let world = World::new().await;
    let server = Server::start(responds(StatusCode::OK, "")).await;
    let backend = ForwardRevocation::new(&server.uri(), world.record()).unwrap();
    let layer = RevocationLayer::new("/revoke", UnverifiedClients::new(), backend);
    let [access, refresh] = world.login().await;
    let response = layer
        .into_endpoint()
        .oneshot(request(&refresh))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(world.is_live(&access).await);
    assert_eq!(
        world.refresh(&refresh).await.error(),
        (400, "invalid_grant".into())
    );
}
