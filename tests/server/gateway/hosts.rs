//! A request must name exactly one host.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{C1, World, echoing};
use crate::process::TIMEOUT;

/// The status of the response to these lines.
async fn status(address: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = [0; 12];
    let read = timeout(TIMEOUT, stream.read_exact(&mut response)).await;
    read.expect("a response in time").unwrap();
    String::from_utf8(response[9..].to_vec()).unwrap()
}

#[tokio::test]
async fn request_without_exactly_one_host_is_refused() {
    let world = World::new().await;
    let api = echoing().await;
    let (gateway, http) = world.gateway_to(&format!("http://{api}"));
    let token = world.http.own_token(C1).await;
    for (line, hosts, expected) in [
        ("GET /a HTTP/1.1", &["api.example"][..], "200"),
        ("GET /a HTTP/1.1", &["api.example:8090"], "200"),
        ("GET /a HTTP/1.1", &["[::1]:80"], "200"),
        ("GET /a HTTP/1.0", &["api.example"], "200"),
        ("GET http://api.example/a HTTP/1.1", &["API.example"], "200"),
        (
            "GET http://api.example:80/a HTTP/1.1",
            &["api.example"],
            "200",
        ),
        (
            "GET http://api.example/a HTTP/1.1",
            &["api.example:80"],
            "200",
        ),
        ("GET /a HTTP/1.1", &[], "400"),
        ("GET /a HTTP/1.0", &[], "400"),
        ("GET http://api.example/a HTTP/1.1", &[], "400"),
        ("GET /a HTTP/1.1", &["api.example", "api.example"], "400"),
        ("GET /a HTTP/1.1", &["api.example", "evil.example"], "400"),
        ("GET /a HTTP/1.1", &["api.example, evil.example"], "400"),
        ("GET /a HTTP/1.1", &["", "api.example"], "400"),
        ("GET /a HTTP/1.1", &[""], "400"),
        ("GET /a HTTP/1.1", &["api.example/a"], "400"),
        ("GET /a HTTP/1.1", &["api.example:"], "200"),
        ("GET /a HTTP/1.1", &["api.example:80x"], "400"),
        ("GET /a HTTP/1.1", &["api.example:65536"], "400"),
        ("GET /a HTTP/1.1", &["user@api.example"], "400"),
        (
            "GET http://evil.example/a HTTP/1.1",
            &["api.example"],
            "400",
        ),
        (
            "GET http://api.example:81/a HTTP/1.1",
            &["api.example"],
            "400",
        ),
        (
            "GET https://api.example/a HTTP/1.1",
            &["api.example:80"],
            "400",
        ),
        (
            "GET http://u@api.example/a HTTP/1.1",
            &["api.example"],
            "400",
        ),
    ] {
        let hosts: String = hosts
            .iter()
            .flat_map(|host| ["host: ", host, "\r\n"])
            .collect();
        let head = format!("{line}\r\nauthorization: Bearer {token}\r\n{hosts}\r\n");
        let answered = status(&gateway.address, &head).await;
        assert_eq!(answered, expected, "{line} {hosts:?}");
        // The same holds for the revocation endpoint of the gateway.
        let line = line.replace("/a ", "/oauth2/revoke ");
        let answered = status(&gateway.address, &format!("{line}\r\n{hosts}\r\n")).await;
        let expected = if expected == "200" { "405" } else { "400" };
        assert_eq!(answered, expected, "{line} {hosts:?}");
    }

    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    for (host, expected) in [
        (None, 200),
        (Some(gateway.address.as_str()), 200),
        (Some("evil.example"), 400),
    ] {
        let mut request = http
            .with_token("/a", &token)
            .map(|_| Full::<Bytes>::default());
        if let Some(host) = host {
            request
                .headers_mut()
                .insert(header::HOST, host.parse().unwrap());
        }
        let request: Request<_> = request;
        let response = client.request(request).await.unwrap();
        assert_eq!(response.status(), expected, "{host:?}");
    }
}
