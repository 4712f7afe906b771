//! Limits behind a proxy.

use hyper::Request;
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind,
    client::{ClientAddr, Credentials, PeerAddr, limit::LimitFailuresLayer},
};

#[tokio::test]
async fn reported_address_counts_instead_of_the_address_of_the_proxy() {
    let nobody = service_fn(async |_: Request<Credentials>| Ok::<Option<()>, BoxError>(None));
    let limited = LimitFailuresLayer::new().failures(2).layer(nobody);
    let ask = |client: &str| {
        let mut request = Request::new(Credentials::ClientId {
            client_id: "c1".to_owned(),
        });
        let extensions = request.extensions_mut();
        extensions.insert(PeerAddr("10.0.0.1:4000".parse().unwrap()));
        extensions.insert(ClientAddr(client.parse().unwrap()));
        limited.clone().oneshot(request)
    };
    for _ in 0..2 {
        assert!(ask("192.0.2.7").await.unwrap().is_none());
    }
    let refused = ask("192.0.2.7").await.unwrap_err();
    let refused = refused.downcast::<Error>().unwrap();
    assert_eq!(refused.kind(), ErrorKind::TooManyRequests);
    assert!(ask("192.0.2.8").await.unwrap().is_none());
}
