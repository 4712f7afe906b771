//! A fleet without a database: one process revokes in its file, and others follow it.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tower_revocation::{
    enforce::{Freshness, Index},
    log::{EmbeddedLog, FleetLog, RevocationLog as _},
};

use crate::{
    nodes::{covers, grant, index, wait_until},
    port::free_port,
    relays::{Relay, has_token},
};

/// That of a file. Two hops away, a shorter one would end now and then.
const LEASE: Duration = Duration::from_secs(5);

async fn follow(relay: &Relay) -> (FleetLog, Index) {
    let log = FleetLog::builder(relay.url()).lease(LEASE).connect().await;
    let log = log.expect("the relay answers");
    let index = index(&log).await;
    (log, index)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_is_followed_and_an_older_copy_does_not_pass_for_it() {
    if !has_token("files::file_is_followed_and_an_older_copy_does_not_pass_for_it") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [path, copy] = ["log.redb", "copy.redb"].map(|name| folder.path().join(name));
    let log = EmbeddedLog::open(&path).unwrap();
    log.append((100..5100).map(grant).collect()).await.unwrap();
    let port = free_port();
    let mut relay = Relay::start_on_file(&log, port).await;
    let mut middle = Relay::start_with_lease(&relay.url(), free_port(), LEASE).await;
    let leaves = [follow(&relay).await, follow(&middle).await];
    let all_cover = |number| leaves.iter().all(|(_, index)| covers(index, number));
    let all_fresh = || {
        let mut indexes = leaves.iter().map(|(_, index)| index);
        indexes.all(|index| index.freshness() == Freshness::Fresh)
    };
    assert!((100..5100).all(all_cover) && all_fresh());

    log.append(vec![grant(1)]).await.unwrap();
    wait_until("known", || all_cover(1)).await;
    log.backup(&copy).await.unwrap();
    let begun = Instant::now();
    log.append(vec![grant(2)]).await.unwrap();
    wait_until("known", || all_cover(2)).await;
    println!("refused at two hops after {:?}", begun.elapsed());

    // Opened again, it is the same log: what a leaf has read counts.
    relay.kill();
    drop(log);
    let log = EmbeddedLog::open_existing_within(&path, Duration::from_secs(60)).unwrap();
    let mut relay = Relay::start_on_file(&log, port).await;
    log.append(vec![grant(3)]).await.unwrap();
    wait_until("known", || all_cover(3)).await;
    wait_until("fresh", all_fresh).await;

    relay.kill();
    let cut = Instant::now();
    drop(log);
    std::fs::remove_file(&path).unwrap();
    let log = EmbeddedLog::restore(&copy, &path).unwrap();
    sleep((LEASE + LEASE / 50).saturating_sub(cut.elapsed())).await;
    let fresh = leaves.iter().map(|(_, index)| index.freshness());
    assert!(fresh.into_iter().all(|fresh| fresh != Freshness::Fresh));

    // Its numbers go on as far as those that were lost, and one further.
    for number in 4..7 {
        log.append(vec![grant(number)]).await.unwrap();
    }
    let relay = Relay::start_on_file(&log, port).await;
    let known = || (4..7).all(all_cover);
    wait_until("known", known).await;
    wait_until("fresh", all_fresh).await;
    assert!((1..4).all(all_cover), "what was known counts");
    middle.kill();
    drop(relay);
}
