//! A request must name exactly one host, over HTTP/2 too.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use crate::{
    fixture::{Gateway, ask, echo, serve},
    versions::http2,
};

#[tokio::test]
async fn host_must_be_the_authority() {
    let api = serve(echo).await;
    let gateway = Gateway::to(&format!("http://{api}")).await;
    let client = http2();
    for (host, status) in [
        (Some(gateway.address.to_string()), 200),
        (None, 200),
        (Some("other.example".to_owned()), 400),
        (Some(String::new()), 400),
    ] {
        let mut request = Request::get(gateway.url("/")).header("authorization", "Bearer alice");
        if let Some(host) = &host {
            request = request.header("host", host);
        }
        let request = request.body(Full::<Bytes>::default()).unwrap();
        assert_eq!(ask(&client, request).await.status(), status, "{host:?}");
    }
}

/// The host is a field over HTTP/1.1, and a part of the target over HTTP/2. gRPC takes the latter, although
/// the API is named with `http`.
#[tokio::test]
async fn api_gets_its_own_host_and_not_that_of_the_client() {
    let api = serve(echo).await;
    let client = http2();
    for (scheme, content_type, version) in [
        ("http", "text/plain", "HTTP/1.1"),
        ("http", "application/grpc", "HTTP/2.0"),
        ("h2c", "text/plain", "HTTP/2.0"),
    ] {
        let gateway = Gateway::to(&format!("{scheme}://{api}/base")).await;
        let request = Request::post(gateway.url("/a"))
            .header("authorization", "Bearer alice")
            .header("content-type", content_type)
            .body(Full::<Bytes>::default())
            .unwrap();
        let response = ask(&client, request).await;
        let lines: Vec<_> = response.body().lines().collect();
        let hosts = lines.iter().filter(|line| line.starts_with("host: "));
        let hosts: Vec<_> = hosts.copied().collect();
        if version == "HTTP/1.1" {
            assert_eq!(lines[0], format!("POST /base/a {version}"));
            assert_eq!(hosts, [format!("host: {api}")]);
        } else {
            assert_eq!(lines[0], format!("POST http://{api}/base/a {version}"));
            assert!(hosts.is_empty(), "{hosts:?}");
        }
    }
}
