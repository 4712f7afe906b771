//! gRPC calls with tonic. A gRPC stream is the body of a response, so it needs no handle.

use tonic::{
    Code, Request, Status, Streaming,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::{
    ServingStatus,
    pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient},
    server::{HealthReporter, health_reporter},
};

use crate::streams::fixture::{Guarded, soon, within_a_second};

type Client = HealthClient<Channel>;

/// A tonic server behind the layer, and a client whose calls share a connection.
async fn start(guarded: &Guarded) -> (HealthReporter, Client) {
    let (reporter, health) = health_reporter();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", incoming.local_addr().unwrap());
    let server = Server::builder()
        .layer(guarded.layer.clone())
        .add_service(health);
    tokio::spawn(server.serve_with_incoming(incoming));
    let endpoint = Channel::from_shared(url).unwrap();
    let channel = soon(endpoint.connect()).await.unwrap();
    (reporter, Client::new(channel))
}

fn call(token: &str) -> Request<HealthCheckRequest> {
    let mut call = Request::new(HealthCheckRequest::default());
    let authorization = format!("Bearer {token}").parse().unwrap();
    call.metadata_mut().insert("authorization", authorization);
    call
}

async fn watch(client: &mut Client, token: &str) -> Streaming<HealthCheckResponse> {
    let stream = soon(client.watch(call(token))).await.unwrap();
    stream.into_inner()
}

/// The next message of an open stream.
async fn message(stream: &mut Streaming<HealthCheckResponse>) -> String {
    let message = soon(stream.message()).await.unwrap().unwrap();
    message.status().as_str_name().to_owned()
}

async fn check(client: &mut Client, token: &str) -> Result<(), Status> {
    soon(client.check(call(token))).await.map(drop)
}

#[tokio::test]
async fn one_stream_ends_as_unauthenticated_and_others_continue() {
    let guarded = Guarded::new().await;
    let (reporter, mut client) = start(&guarded).await;
    let mut alice = watch(&mut client, "alice").await;
    let mut bob = watch(&mut client, "bob").await;
    for stream in [&mut alice, &mut bob] {
        assert_eq!(message(stream).await, "SERVING");
    }
    reporter
        .set_service_status("", ServingStatus::NotServing)
        .await;
    for stream in [&mut alice, &mut bob] {
        assert_eq!(message(stream).await, "NOT_SERVING");
    }

    guarded.revoke("alice").await;
    let status = within_a_second(alice.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), "the token was revoked");

    reporter
        .set_service_status("", ServingStatus::Serving)
        .await;
    assert_eq!(message(&mut bob).await, "SERVING");
    assert_eq!(guarded.index.watched(), 1);
}

#[tokio::test]
async fn a_call_with_a_revoked_token_is_unauthenticated() {
    let guarded = Guarded::new().await;
    let (_reporter, mut client) = start(&guarded).await;
    check(&mut client, "alice").await.unwrap();

    guarded.revoke("alice").await;

    let status = check(&mut client, "alice").await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let status = soon(client.watch(call("alice"))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    check(&mut client, "bob").await.unwrap();
}

#[tokio::test]
async fn a_call_whose_introspection_fails_is_unavailable() {
    let guarded = Guarded::new().await;
    let (_reporter, mut client) = start(&guarded).await;
    let status = check(&mut client, "broken").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
