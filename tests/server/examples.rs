//! The small examples.

use std::process::Command;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Version, header};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    http::{Http, SPA, SPA2},
    process::{Server, binary},
};

const TOKEN: &str = "45ghiukldjahdnhzdauz";

fn start(example: &str) -> (Server, Http) {
    let mut command = Command::new(binary(example));
    command.env("LISTEN", "127.0.0.1:0");
    let server = Server::run(command);
    let http = Http::to(server.url(""));
    (server, http)
}

#[tokio::test]
async fn hyper_service_is_wrapped_over_both_versions_of_http() {
    let (server, http) = start("hyper");
    let revoke = async |client| http.post("/revoke", client, &[("token", TOKEN)]).await;
    assert!(revoke(SPA2).await.is_error(400, "invalid_grant"));
    assert_eq!(revoke(SPA).await.status, 200);
    assert_eq!(http.get("/").await.body, "the inner service\n");

    let http2 = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let body = "token=2YotnFZFEjr1zCsicMWpAA&client_id=spa-2";
    let request = Request::post(server.url("/revoke"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::<Bytes>::from(body))
        .unwrap();
    let response = http2.request(request).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.version()),
        (200, Version::HTTP_2)
    );
    assert!(!response.headers().contains_key(header::CONNECTION));
    assert!(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
}

#[tokio::test]
async fn one_port_serves_grpc_and_revocation() {
    let (server, http) = start("tonic");
    let channel = Channel::from_shared(server.url(""))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = HealthClient::new(channel);
    let response = health
        .check(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(response.status(), ServingStatus::Serving);

    let response = http.post("/revoke", SPA, &[("token", TOKEN)]).await;
    assert_eq!((response.status.as_u16(), response.body.len()), (200, 0));
    assert!(
        http.post("/revoke", SPA2, &[("token", TOKEN)])
            .await
            .is_error(401, "invalid_client")
    );

    // gRPC errors with their trailers pass too.
    let unknown = HealthCheckRequest {
        service: "unknown".into(),
    };
    let status = health.check(unknown).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn hyper_service_refuses_a_revoked_token() {
    let (server, http) = start("hyper");
    let me = async |authorization: Option<&str>| {
        let mut request = Request::get(server.url("/me"));
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::default()).unwrap();
        let response = http.try_send(request).await.unwrap();
        (response.status.as_u16(), response.body)
    };
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(me(None).await.0, 401);
    assert_eq!(me(Some(&bearer)).await, (200, "spa-1\n".into()));
    let unknown = http.post("/revoke", SPA, &[("token", "unknown")]).await;
    assert_eq!(unknown.status, 200);
    let revoked = http.post("/revoke", SPA, &[("token", TOKEN)]).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(me(Some(&bearer)).await.0, 401);
    assert_eq!(http.get("/").await.body, "the inner service\n");
}

#[tokio::test]
async fn hyper_connections_end_with_the_server() {
    let (mut server, http) = start("hyper");
    // The connection stays open.
    assert_eq!(http.get("/").await.status, 200);
    server.signal("INT");
    let (status, log) = server.wait();
    assert!(status.success(), "{status}: {log}");
    assert_eq!(log, "");
}

#[tokio::test]
async fn streaming_call_ends_when_its_token_is_revoked() {
    let (server, http) = start("tonic");
    let channel = Channel::from_shared(server.url(""))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = HealthClient::new(channel);
    let denied = health.watch(HealthCheckRequest::default()).await;
    assert_eq!(denied.unwrap_err().code(), tonic::Code::Unauthenticated);

    let mut request = tonic::Request::new(HealthCheckRequest::default());
    let bearer = format!("Bearer {TOKEN}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let mut watched = health.watch(request).await.unwrap().into_inner();
    let first = watched.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    let revoked = http.post("/revoke", SPA, &[("token", TOKEN)]).await;
    assert_eq!(revoked.status, 200);
    let end = watched.message().await.unwrap_err();
    assert_eq!(end.code(), tonic::Code::Unauthenticated);
}
