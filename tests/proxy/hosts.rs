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
