//! gRPC calls with tonic, to an API that is named with `http` or `h2c`.

use tonic::{
    Code, Request,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_health::{
    ServingStatus,
    pb::{HealthCheckRequest, health_client::HealthClient},
    server::{HealthReporter, health_reporter},
};

use crate::{
    fixture::{Gateway, soon},
    port::free_port,
};

type Client = HealthClient<Channel>;

/// A gRPC server behind a gateway, and a client of the gateway.
async fn start(scheme: &str) -> (HealthReporter, Gateway, Client) {
    let (reporter, health) = health_reporter();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("{scheme}://{}", incoming.local_addr().unwrap());
    let server = Server::builder().add_service(health);
    tokio::spawn(server.serve_with_incoming(incoming));
    let gateway = Gateway::to(&url).await;
    let endpoint = Channel::from_shared(gateway.url("")).unwrap();
    let channel = soon(endpoint.connect()).await.unwrap();
    (reporter, gateway, Client::new(channel))
}

fn call(token: &str, service: &str) -> Request<HealthCheckRequest> {
    let mut call = Request::new(HealthCheckRequest {
        service: service.to_owned(),
    });
    let authorization = format!("Bearer {token}").parse().unwrap();
    call.metadata_mut().insert("authorization", authorization);
    call
}

#[tokio::test]
async fn calls_streams_and_trailers_pass_until_the_token_is_revoked() {
    for scheme in ["http", "h2c"] {
        let (reporter, gateway, mut client) = start(scheme).await;
        let response = soon(client.check(call("alice", ""))).await.unwrap();
        assert_eq!(response.into_inner().status().as_str_name(), "SERVING");
        // The status of the API comes in trailers.
        let status = soon(client.check(call("alice", "other")))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::NotFound);

        let watch = soon(client.watch(call("alice", ""))).await.unwrap();
        let mut alice = watch.into_inner();
        let watch = soon(client.watch(call("bob", ""))).await.unwrap();
        let mut bob = watch.into_inner();
        for stream in [&mut alice, &mut bob] {
            assert!(soon(stream.message()).await.unwrap().is_some());
        }
        gateway.tokens.revoke("alice").await;
        let status = soon(alice.message()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        let status = soon(client.check(call("alice", ""))).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);

        reporter
            .set_service_status("", ServingStatus::NotServing)
            .await;
        let message = soon(bob.message()).await.unwrap().unwrap();
        assert_eq!(message.status().as_str_name(), "NOT_SERVING");
    }
}

#[tokio::test]
async fn unreachable_api_is_unavailable() {
    let (_reporter, gateway, _client) = start("h2c").await;
    drop(gateway);
    let url = format!("http://127.0.0.1:{}", free_port());
    let gateway = Gateway::to(&url).await;
    let endpoint = Channel::from_shared(gateway.url("")).unwrap();
    let mut client = Client::new(soon(endpoint.connect()).await.unwrap());
    let status = soon(client.check(call("alice", ""))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
