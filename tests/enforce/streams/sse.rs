//! Server-sent events with axum.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::State,
    response::sse::{Event, Sse},
    routing,
};
use futures::{Stream, stream};
use hyper::{Response, body::Incoming};
use hyper_util::client::legacy::connect::HttpInfo;
use tokio::sync::broadcast;
use tower_revocation::{enforce::Policy, log::NumericDate};

use crate::streams::fixture::{
    Guarded, HttpClient, get, http1, http2, just_past, next, serve, soon, within_a_second,
};

/// The events for every listener.
type News = broadcast::Sender<&'static str>;

/// Sends `welcome` first, and then the news.
async fn events(State(news): State<News>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let welcome = Some("welcome");
    let events = (welcome, news.subscribe());
    Sse::new(stream::unfold(events, async |(welcome, mut news)| {
        let text = match welcome {
            Some(text) => text,
            None => news.recv().await.ok()?,
        };
        Some((Ok(Event::default().data(text)), (None, news)))
    }))
}

fn app(guarded: &Guarded) -> (Router, News) {
    let news = News::new(4);
    let app = Router::new()
        .route("/events", routing::get(events))
        .route("/log", routing::get(events))
        .layer(guarded.layer.clone())
        .with_state(news.clone());
    (app, news)
}

/// The next event of an open stream.
async fn event(response: &mut Response<Incoming>) -> String {
    let bytes = soon(next(response.body_mut())).await.unwrap().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    let text = text.strip_prefix("data: ").unwrap();
    text.trim_end().to_owned()
}

/// The stream fails, and sends nothing else.
async fn assert_cut(response: &mut Response<Incoming>) {
    let cut = next(response.body_mut()).await.unwrap();
    assert!(cut.is_err(), "{cut:?}");
}

/// The client's address of the response's connection.
fn address(response: &Response<Incoming>) -> SocketAddr {
    let info = response.extensions().get::<HttpInfo>();
    info.unwrap().local_addr()
}

async fn is_cut_and_others_continue(client: HttpClient, shares_a_connection: bool) {
    let guarded = Guarded::new().await;
    let (app, news) = app(&guarded);
    let url = format!("http://{}/events", serve(app).await);
    let mut alice = get(&client, url.clone(), "alice").await;
    let mut bob = get(&client, url, "bob").await;
    assert_eq!(address(&alice) == address(&bob), shares_a_connection);
    for stream in [&mut alice, &mut bob] {
        assert_eq!(event(stream).await, "welcome");
    }
    news.send("before").unwrap();
    for stream in [&mut alice, &mut bob] {
        assert_eq!(event(stream).await, "before");
    }
    assert_eq!(guarded.index.watched(), 2);

    guarded.revoke("alice").await;
    within_a_second(assert_cut(&mut alice)).await;

    news.send("after").unwrap();
    assert_eq!(event(&mut bob).await, "after");
    assert_eq!(guarded.index.watched(), 1);
}

#[tokio::test]
async fn an_http1_stream_is_cut_and_others_continue() {
    is_cut_and_others_continue(http1(), false).await;
}

#[tokio::test]
async fn an_http2_stream_is_cut_and_others_continue() {
    is_cut_and_others_continue(http2(), true).await;
}

#[tokio::test]
async fn a_stream_is_cut_when_its_token_expires_and_not_earlier() {
    let guarded = Guarded::new().await;
    let (app, _news) = app(&guarded);
    let url = format!("http://{}/events", serve(app).await);
    let exp = NumericDate::now() + Duration::from_secs(2);
    guarded.expire(exp);
    let mut alice = get(&http1(), url, "alice").await;
    assert_eq!(event(&mut alice).await, "welcome");

    just_past(exp, assert_cut(&mut alice)).await;
}

#[tokio::test]
async fn streams_continue_if_the_policy_does_not_cut_them() {
    for by_route in [false, true] {
        let mut guarded = Guarded::new().await;
        let lenient = Policy::new().cut_streams(false);
        guarded.layer = if by_route {
            guarded.layer.policy_by(move |head| match head.uri.path() {
                "/log" => lenient,
                _ => Policy::new(),
            })
        } else {
            guarded.layer.policy(lenient)
        };
        let (app, news) = app(&guarded);
        let authority = serve(app).await;
        let mut log = get(&http1(), format!("http://{authority}/log"), "alice").await;
        let mut events = get(&http1(), format!("http://{authority}/events"), "alice").await;
        for stream in [&mut log, &mut events] {
            assert_eq!(event(stream).await, "welcome");
        }

        guarded.revoke("alice").await;
        news.send("after").unwrap();
        assert_eq!(event(&mut log).await, "after");
        if by_route {
            within_a_second(assert_cut(&mut events)).await;
        } else {
            assert_eq!(event(&mut events).await, "after");
            assert_eq!(guarded.index.watched(), 0);
        }
    }
}
