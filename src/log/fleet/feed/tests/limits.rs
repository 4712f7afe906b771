//! What those who follow can take from a relay, and from each other.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures::future::join_all;
use http_body_util::Empty;
use hyper::{Request, Response, StatusCode, header};

use super::{
    requests::{get, page_of, reporting, send},
    *,
};

/// Each value of the field `name` is a credential.
fn feed_by_name(log: &FleetLog) -> FeedService {
    FeedService::authorized_by(log, |request| {
        let name = request.headers.get("name");
        Some(name.map_or_else(Vec::new, |name| name.as_bytes().to_owned()))
    })
}

fn get_as(name: &str, query: &str) -> Request<Empty<Bytes>> {
    let mut ask = get(query);
    ask.headers_mut().insert("name", name.parse().unwrap());
    ask
}

/// A place that no relay knows.
fn unknown() -> String {
    format!("?after={:016x}.7.{:016x}", 2, 1)
}

fn is_busy(response: &Response<FeedBody>) -> bool {
    response.status() == StatusCode::SERVICE_UNAVAILABLE
}

/// Sends a request, and goes away soon after.
async fn hang_up(feed: &FeedService, ask: Request<Empty<Bytes>>) {
    let _ = timeout(Duration::from_millis(1), send(feed, ask)).await;
}

/// A relay that has followed its engine for a while.
async fn relay(time: &Time, link: &Model) -> (FeedService, Arc<Heard>) {
    let log = time.node(link.clone(), 1);
    let service = feed_by_name(&log);
    let heard = Heard::follow(&log).await;
    sleep(LEASE).await;
    (service, heard)
}

#[tokio::test(start_paused = true)]
async fn clients_that_hang_up_do_not_make_the_relay_stale() {
    let (time, engine, wire) = (Time::begin(), Model::new(), Wire::new());
    engine.put([record(1)]);
    let root = time.node(engine.connection(), 1);
    let near = time.leaf(&wire, feed(&root), 2);
    let (service, heard) = (feed(&near), Heard::follow(&near).await);
    sleep(LEASE).await;
    for _ in 0..500 {
        hang_up(&service, get(&unknown())).await;
        sleep(LEASE / 100).await;
        let age = time.now().since(heard.asked());
        assert!(age < LEASE, "{age:?}");
    }
    // One for the relay itself, and one for what it asks for others.
    assert_eq!(wire.opened.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn question_that_nobody_waits_for_counts_until_its_end() {
    let (time, engine) = (Time::begin(), Model::new());
    let link = engine.connection();
    let (feed, _heard) = relay(&time, &link).await;
    link.link.reads_hang.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        hang_up(&feed, get_as("one", &unknown())).await;
    }
    assert_eq!(link.link.reads.load(Ordering::SeqCst), 8);
    link.link.reads_hang.store(false, Ordering::SeqCst);
    assert!(is_busy(&send(&feed, get_as("one", &unknown())).await));
    page_of(send(&feed, get_as("other", &unknown())).await).await;
    // The engine has not answered in time.
    sleep(LEASE).await;
    page_of(send(&feed, get_as("one", &unknown())).await).await;
}

#[tokio::test(start_paused = true)]
async fn only_eight_questions_of_a_credential_go_to_the_engine_at_once() {
    let (time, engine) = (Time::begin(), Model::new());
    let link = engine.connection();
    let (feed, _heard) = relay(&time, &link).await;
    link.link.reads_hang.store(true, Ordering::SeqCst);
    let responses = join_all((0..20).map(|_| send(&feed, get(&unknown())))).await;
    assert!(responses.iter().all(is_busy));
    assert_eq!(link.link.reads.load(Ordering::SeqCst), 8);
    let pause = |response: &Response<FeedBody>| {
        let pause = &response.headers()[header::RETRY_AFTER];
        pause.to_str().unwrap().to_owned()
    };
    let mut pauses: Vec<_> = responses.iter().map(pause).collect();
    pauses.sort();
    pauses.dedup();
    assert!(pauses.len() > 1, "{pauses:?}");

    link.link.reads_hang.store(false, Ordering::SeqCst);
    let page = page_of(send(&feed, get(&unknown())).await).await;
    assert_eq!(page.history, History::Other);
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_are_limited() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put((1..=4000).map(record));
    let link = engine.connection();
    let (feed, _heard) = relay(&time, &link).await;
    // What a client has not read yet is a body that is still there.
    let mut unread = Vec::new();
    loop {
        let response = send(&feed, get_as("one", "")).await;
        if is_busy(&response) {
            break;
        }
        unread.push(response);
        assert!(unread.len() < 1000, "no limit");
    }
    assert!(unread.len() > 300, "{}", unread.len());
    let other = send(&feed, get_as("other", "")).await;
    assert_eq!(page_of(other).await.records.len(), 4000);
    unread.pop();
    let again = send(&feed, get_as("one", "")).await;
    assert_eq!(page_of(again).await.records.len(), 4000);
}

#[tokio::test(start_paused = true)]
async fn leaf_has_one_question_at_a_time() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let (feed, _heard) = relay(&time, &link).await;
    let waiting = || reporting(get(&format!("?after={:016x}.1.{:016x}&wait=1000", 1, 1000)));
    page_of(send(&feed, waiting()).await).await;
    let first = tokio::spawn({
        let (feed, ask) = (feed.clone(), waiting());
        async move { send(&feed, ask).await }
    });
    sleep(LEASE / 50).await;
    let (begun, second) = (Instant::now(), send(&feed, waiting()).await);
    assert!(is_busy(&first.await.unwrap()));
    page_of(second).await;
    assert!(begun.elapsed() >= LEASE / 5, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_fresher_than_the_relay_by_what_it_passes_on() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let (feed, _heard) = relay(&time, &link).await;
    let ask = || reporting(get(&unknown()));
    page_of(send(&feed, ask()).await).await;
    let page = page_of(send(&feed, ask()).await).await;
    assert!(page.membership.was_listed && !page.membership.barrier);
    assert!(page.age < LEASE, "{:?}", page.age);
    // The node renews nothing now, though its engine answers what it asks for others.
    link.link.is_cut.store(true, Ordering::SeqCst);
    sleep(LEASE * 2).await;
    let page = page_of(send(&feed, ask()).await).await;
    assert!(page.age >= LEASE * 2, "{:?}", page.age);
}

#[tokio::test(start_paused = true)]
async fn nobody_reports_for_the_leaf_of_another_credential() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let (feed, _heard) = relay(&time, &link).await;
    wait_until(|| link.applied() == Some(1)).await;
    // This leaf has nothing yet, whoever else uses its number.
    let asking = async {
        loop {
            page_of(send(&feed, reporting(get_as("one", ""))).await).await;
            let mut other = reporting(get_as("other", ""));
            let all = header::HeaderValue::from_static("0000000000000001.1");
            other.headers_mut().insert("tower-revocation-applied", all);
            page_of(send(&feed, other).await).await;
            sleep(LEASE / 20).await;
        }
    };
    let _ = timeout(LEASE * 2, asking).await;
    assert_eq!(link.applied(), Some(0));
}

#[tokio::test(start_paused = true)]
async fn many_leaves_cost_few_looks_at_all_of_them() {
    let (time, engine) = (Time::begin(), Model::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let log = time.node(link.clone(), 1);
    let (feed, _heard) = (feed_by_name(&log), Heard::follow(&log).await);
    let report = |leaf: u64, applied: u64| {
        let (mut ask, feed) = (get(""), feed.clone());
        let leaf = format!("{leaf:016x}").parse().unwrap();
        ask.headers_mut().insert("tower-revocation-member", leaf);
        let applied = format!("{:016x}.{applied}", 1).parse().unwrap();
        ask.headers_mut()
            .insert("tower-revocation-applied", applied);
        async move { page_of(send(&feed, ask).await).await }
    };
    let all_report = async |leaves: std::ops::Range<u64>, applied| {
        for leaf in leaves {
            report(leaf, applied).await;
            // The driver can run in between.
            tokio::task::yield_now().await;
        }
    };
    all_report(0..500, 1).await;
    sleep(LEASE / 4).await;
    all_report(0..500, 1).await;
    wait_until(|| link.applied() == Some(1)).await;
    engine.put([record(2)]);
    sleep(LEASE / 20).await;

    let (begun, counts) = (Instant::now(), log.relay.counts());
    all_report(0..499, 2).await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(link.applied(), Some(1));
    // The last one is soon after a look, and is noticed nevertheless.
    all_report(499..500, 2).await;
    wait_until(|| link.applied() == Some(2)).await;
    assert!(begun.elapsed() < LEASE / 50, "{:?}", begun.elapsed());
    all_report(0..500, 2).await;
    sleep(Duration::from_millis(20)).await;
    let counts = log.relay.counts() - counts;
    assert!(counts < 10, "{counts}");
}
