//! Single requests to a relay.

use std::{pin::pin, sync::atomic::Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Method, Request, Response, StatusCode, header};
use tower::ServiceExt as _;

use super::{super::codec, *};

const MEMBER: &str = "tower-revocation-member";
const APPLIED: &str = "tower-revocation-applied";

pub(super) fn get(query: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("/feed{query}"))
        .header(MEMBER, "00000000000000aa")
        .body(Empty::new())
        .unwrap()
}

/// From the first of these requests on, the leaf is listed.
pub(super) fn reporting(mut ask: Request<Empty<Bytes>>) -> Request<Empty<Bytes>> {
    let nothing = header::HeaderValue::from_static("0000000000000001.0");
    ask.headers_mut().insert(APPLIED, nothing);
    ask
}

pub(super) async fn send(feed: &FeedService, request: Request<Empty<Bytes>>) -> Response<FeedBody> {
    feed.clone().oneshot(request).await.unwrap()
}

pub(super) async fn page_of(response: Response<FeedBody>) -> Page {
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], codec::MEDIA_TYPE);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    // The records are confidential.
    assert_eq!(format!("{:?}", response.body()), "FeedBody { .. }");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let (page, leases) = codec::decode(&body).unwrap();
    assert_eq!((leases.longest, leases.shortest), (LEASE, LEASE * 2 / 5));
    page
}

/// A relay that has followed its engine for a while.
async fn relay(time: &Time, engine: &Model) -> (FeedService, Arc<Heard>) {
    let log = time.node(engine.connection(), 1);
    let service = feed(&log);
    let heard = Heard::follow(&log).await;
    sleep(LEASE).await;
    (service, heard)
}

#[tokio::test(start_paused = true)]
async fn answer_waits_for_something_new() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let (feed, _heard) = relay(&time, &engine).await;
    let page = page_of(send(&feed, reporting(get(""))).await).await;
    assert_eq!((page.upto, page.membership.was_listed), (cursor(1), false));
    let after = |wait: u64| format!("?after={:016x}.1.{:016x}&wait={wait}", 1, 1000);

    // Never longer than a fifth of the lease.
    let begun = Instant::now();
    let page = page_of(send(&feed, get(&after(1_000_000))).await).await;
    assert!(
        begun.elapsed() >= LEASE / 5 && begun.elapsed() < LEASE / 4,
        "{:?}",
        begun.elapsed()
    );
    assert!(page.records.is_empty() && page.membership.was_listed && !page.membership.barrier);
    assert!(page.age <= LEASE * 2 / 5, "{:?}", page.age);

    let begun = Instant::now();
    assert!(
        page_of(send(&feed, get(&after(0))).await)
            .await
            .records
            .is_empty()
    );
    assert_eq!(begun.elapsed(), Duration::ZERO);

    let waiting = tokio::spawn({
        let (feed, ask) = (feed.clone(), get(&after(1000)));
        async move { page_of(send(&feed, ask).await).await }
    });
    sleep(Duration::from_millis(10)).await;
    engine.put([record(2)]);
    assert_eq!(waiting.await.unwrap().records, [record(2)]);
    assert!(begun.elapsed() < LEASE / 50, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn leaf_that_is_ahead_of_the_relay_waits_for_it() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let log = time.node(link.clone(), 1);
    let (feed, _heard) = (feed(&log), Heard::follow(&log).await);
    sleep(LEASE).await;
    let polls = link.link.polls.load(Ordering::SeqCst);
    let ask = || reporting(get(&format!("?after={:016x}.2.{:016x}&wait=1000", 1, 2000)));
    // It is listed from now on.
    page_of(send(&feed, ask()).await).await;
    let waiting = tokio::spawn({
        let (feed, ask) = (feed.clone(), ask());
        async move { page_of(send(&feed, ask).await).await }
    });
    sleep(Duration::from_millis(10)).await;
    engine.put([record(2), record(3)]);
    let page = waiting.await.unwrap();
    // From the engine, as the relay has not read up to exactly there.
    assert_eq!(page.history, History::Same);
    assert_eq!(page.records, [record(3)]);
    let asked = link.link.polls.load(Ordering::SeqCst) + link.link.reads.load(Ordering::SeqCst);
    assert!(asked <= polls + 6);
}

#[tokio::test(start_paused = true)]
async fn relay_that_lost_the_engine_answers_and_gets_old() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let log = time.node(link.clone(), 1);
    let (feed, _heard) = (feed(&log), Heard::follow(&log).await);
    sleep(LEASE).await;
    link.link.is_cut.store(true, Ordering::SeqCst);
    sleep(LEASE * 3).await;
    let ask = || get(&format!("?after={:016x}.1.{:016x}", 1, 1000));
    let page = page_of(send(&feed, ask()).await).await;
    assert!(page.age >= LEASE * 3, "{:?}", page.age);
    sleep(LEASE).await;
    let page = page_of(send(&feed, ask()).await).await;
    assert!(page.age >= LEASE * 4, "{:?}", page.age);
}

#[tokio::test(start_paused = true)]
async fn nobody_hears_of_an_incarnation_before_the_relay() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let log = time.node(link.clone(), 1);
    let (feed, _heard) = (feed(&log), Heard::follow(&log).await);
    sleep(LEASE).await;
    // The relay's own polls hang, and what it asks for others comes from another server.
    link.link.is_cut.store(true, Ordering::SeqCst);
    engine.lose(0);
    let of_the_engine = || get(&format!("?after={:016x}.7.{:016x}", 2, 1));
    let response = send(&feed, of_the_engine()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let page = page_of(send(&feed, get("")).await).await;
    assert_eq!(page.incarnation, Incarnation(1));

    link.link.is_cut.store(false, Ordering::SeqCst);
    sleep(LEASE).await;
    let page = page_of(send(&feed, of_the_engine()).await).await;
    assert_eq!(page.incarnation, Incarnation(2));
    let page = page_of(send(&feed, get("")).await).await;
    assert_eq!(page.incarnation, Incarnation(2));
}

#[tokio::test(start_paused = true)]
async fn request_is_forgotten_while_its_answer_waits() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let (feed, _heard) = relay(&time, &engine).await;
    page_of(send(&feed, reporting(get(""))).await).await;
    let mut ask = get(&format!("?after={:016x}.1.{:016x}&wait=1000", 1, 1000));
    let head = Arc::new(());
    ask.extensions_mut().insert(head.clone());
    let mut waiting = pin!(send(&feed, ask));
    assert!(timeout(LEASE / 50, &mut waiting).await.is_err());
    assert_eq!(Arc::strong_count(&head), 1);
    page_of(waiting.await).await;
}

#[tokio::test(start_paused = true)]
async fn relay_that_was_never_complete_makes_nobody_fresh() {
    let (time, engine) = (Time::begin(), Model::new());
    let link = engine.connection();
    link.link.is_cut.store(true, Ordering::SeqCst);
    let feed = feed(&time.node(link, 1));
    let page = page_of(send(&feed, get("")).await).await;
    assert!(page.membership.barrier);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_refused() {
    let (time, engine) = (Time::begin(), Model::new());
    let (feed, _heard) = relay(&time, &engine).await;
    for query in [
        "?after=x",
        "?wait=x",
        "?x=y",
        "?after=&after=",
        "?%00",
        "?after=1.2.3",
    ] {
        assert_eq!(
            send(&feed, get(query)).await.status(),
            StatusCode::BAD_REQUEST,
            "{query}"
        );
    }
    let mut nobody = get("");
    nobody.headers_mut().remove(MEMBER);
    assert_eq!(send(&feed, nobody).await.status(), StatusCode::BAD_REQUEST);

    let mut post = get("");
    *post.method_mut() = Method::POST;
    let response = send(&feed, post).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[header::ALLOW], "GET");
    let elsewhere = feed.clone().path("/other");
    assert_eq!(
        send(&elsewhere, get("")).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn nobody_reads_without_a_token() {
    let (time, engine) = (Time::begin(), Model::new());
    let log = time.node(engine.connection(), 1);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "abcdefghijklmnopqrst\n").unwrap();
    let feed = FeedService::with_token_file(&log, file.path()).unwrap();
    assert!(!format!("{feed:?}").contains("abcdef"));
    let response = send(&feed, get("")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    let with = |token: &str| {
        let mut ask = get("");
        let token = header::HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        ask.headers_mut().insert(header::AUTHORIZATION, token);
        ask
    };
    let response = send(&feed, with("abcdefghijklmnopqrsT")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    page_of(send(&feed, with("abcdefghijklmnopqrst")).await).await;

    let checked = FeedService::authorized_by(&log, |request| {
        let named = request.headers.get("x")?;
        Some(named.as_bytes().to_owned())
    });
    assert_eq!(
        send(&checked, get("")).await.status(),
        StatusCode::FORBIDDEN
    );
    let mut ask = get("");
    ask.headers_mut().insert("x", 1.into());
    page_of(send(&checked, ask).await).await;
}
