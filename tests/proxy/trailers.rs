//! Trailers pass without the fields that mean something only in a head.

use http_body_util::BodyExt as _;
use hyper::Response;

use crate::fixture::{Gateway, serve};

#[tokio::test]
async fn trailers_lose_what_an_api_could_take_for_a_checked_field() {
    // The response names the trailers.
    let api = serve(async |request| {
        let body = request.into_body().collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or_default();
        let mut names: Vec<_> = trailers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        Response::new(names.join(",").into())
    })
    .await;
    let gateway = Gateway::to(&format!("h2c://{api}")).await;
    let removed: String = [
        "authorization",
        "cookie",
        "host",
        "content-length",
        "transfer-encoding",
        "content-type",
        "expect",
        "dpop",
        "Cache_Control",
        "if.match",
        "x_http_method_override",
        "x-method-override",
        "x-token-subject",
        "X_Token.Subject",
        "x-forwarded-for",
        "te",
        "connection",
        "upgrade",
    ]
    .iter()
    .flat_map(|name| [name, ": x\r\n"])
    .collect();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer alice\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n{removed}grpc-status: 0\r\nx-checksum: 1\r\n\r\n"
    );
    let response = gateway.raw(request.as_bytes()).await;
    assert!(
        response.ends_with("\r\n\r\ngrpc-status,x-checksum"),
        "{response}"
    );
}
