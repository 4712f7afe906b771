//! `OPTIONS` requests with a limit of proxies.

use hyper::Method;

use crate::{
    fixture::{Gateway, Recorder, ask, echo, get, serve},
    versions::{http1, http2},
};

/// RFC 9110 §7.6.2.
#[tokio::test]
async fn max_forwards_counts_this_proxy_and_zero_does_not_reach_the_api() {
    let api = serve(echo).await;
    let gateway = Gateway::to(&format!("http://{api}")).await;
    let recorder = Recorder::start().await;
    let last = Gateway::to(&format!("http://{}", recorder.address)).await;
    let options = |gateway: &Gateway, forwards: &str| {
        let mut request = get(gateway.url("/a"));
        *request.method_mut() = Method::OPTIONS;
        let forwards = forwards.parse().unwrap();
        request.headers_mut().insert("max-forwards", forwards);
        request
    };
    for client in [http1(), http2()] {
        let response = ask(&client, options(&gateway, "2")).await;
        assert_eq!(response.status(), 200);
        let body = response.body();
        assert!(body.contains("\nmax-forwards: 1\n"), "{body}");

        let response = ask(&client, options(&last, "0")).await;
        assert_eq!((response.status().as_u16(), &**response.body()), (204, ""));
        let response = ask(&client, options(&last, "none")).await;
        assert_eq!(response.status(), 400);
        // It needs a token, as all others do.
        let mut without = options(&last, "0");
        without.headers_mut().remove("authorization");
        assert_eq!(ask(&client, without).await.status(), 401);
    }
    assert_eq!(recorder.received(), "");
}
