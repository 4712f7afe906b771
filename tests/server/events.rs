//! An event stream ends with its token.

use http_body_util::BodyExt as _;
use hyper::{Response, body::Incoming};
use tokio::time::timeout;

use super::{
    http::{C1, Http},
    process::{Server, TIMEOUT, folder},
};

/// Whether the stream is cut and does not just end. `tests/enforce/streams` tests how soon.
pub(crate) async fn is_cut(mut events: Response<Incoming>) -> bool {
    let to_its_end = async {
        loop {
            match events.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return true,
                None => return false,
            }
        }
    };
    timeout(TIMEOUT, to_its_end).await.unwrap_or(false)
}

/// Whether another event arrives.
pub(crate) async fn goes_on(events: &mut Response<Incoming>) -> bool {
    let another = timeout(TIMEOUT, events.frame()).await;
    matches!(another, Ok(Some(Ok(_))))
}

#[tokio::test]
async fn event_stream_is_cut_when_its_grant_ends_and_others_are_not() {
    for start in [Server::start, Server::start_with_jwts] {
        let (_folder, data) = folder();
        let server = start(&data);
        let http = Http::to(server.url(""));
        let (access, refresh) = http.tokens(C1).await;
        let (other, _) = http.tokens(C1).await;
        let (events, mut others) = (http.events(&access).await, http.events(&other).await);

        assert_eq!(http.revoke(C1, &refresh).await.status, 200);
        assert!(is_cut(events).await);
        assert!(goes_on(&mut others).await);
        assert_eq!(http.revoke(C1, &other).await.status, 200);
        assert!(is_cut(others).await);
    }
}

#[tokio::test]
async fn events_need_a_token() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    // Both get a response that ends, which a stream would not.
    assert_eq!(http.get("/api/events").await.status, 401);
    let request = http.with_token("/api/events", "unknown");
    assert!(http.try_send(request).await.unwrap().is_refused_token());
}
