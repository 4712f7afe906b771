//! Heads with as many fields as fit.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request,
    header::{HeaderName, HeaderValue},
};
use tower::{Layer as _, ServiceExt as _};
use tower_revocation::proxy::{ReverseProxy, SanitizeLayer, Upstream};

use crate::fixture::identity;

/// A request to whose head no field can be added.
fn full() -> Request<Full<Bytes>> {
    let mut request = Request::get("/").body(Full::default()).unwrap();
    let headers = request.headers_mut();
    headers.insert("host", HeaderValue::from_static("a.example"));
    for number in 0.. {
        let name = HeaderName::try_from(format!("field-{number}")).unwrap();
        if headers
            .try_append(name, HeaderValue::from_static(""))
            .is_err()
        {
            break;
        }
    }
    request
}

#[tokio::test]
async fn head_without_room_for_the_fields_of_the_proxy_is_431() {
    let upstream = Upstream::new("http://127.0.0.1:1").unwrap();
    let proxy = ReverseProxy::new(upstream.clone())
        .unwrap()
        .identity(identity());
    let Ok(response) = proxy.oneshot(full()).await;
    assert_eq!(response.status(), 431);
    let proxy = ReverseProxy::new(upstream).unwrap();
    let unlimited = SanitizeLayer::new()
        .max_fields(usize::MAX)
        .max_head(usize::MAX);
    let Ok(response) = unlimited.layer(proxy).oneshot(full()).await;
    assert_eq!(response.status(), 431);
}
