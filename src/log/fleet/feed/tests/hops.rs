//! From the engine over a relay to a leaf, and from there to another one.

use std::sync::atomic::Ordering;

use super::*;

/// A relay at the engine, a leaf that is a relay itself, and a leaf of that one.
struct Chain {
    time: Time,
    engine: Model,
    /// The connection of the relay to the engine.
    link: Model,
    relay: FleetLog,
    near: FleetLog,
    far: FleetLog,
    wires: [Wire; 2],
}

impl Chain {
    fn new() -> Self {
        let (time, engine) = (Time::begin(), Model::new());
        let wires = [Wire::new(), Wire::new()];
        let link = engine.connection();
        let relay = time.node(link.clone(), 1);
        let near = time.leaf(&wires[0], feed(&relay), 2);
        let far = time.leaf(&wires[1], feed(&near), 3);
        Self {
            time,
            engine,
            link,
            relay,
            near,
            far,
            wires,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn record_is_known_at_the_end_of_a_chain_at_once() {
    let chain = Chain::new();
    let root = chain.time.node(chain.engine.connection(), 4);
    let far = Heard::follow(&chain.far).await;
    // Long polls are waiting.
    sleep(LEASE * 3).await;
    for number in 1..=3 {
        let begun = Instant::now();
        let position = root.append(vec![record(number)]).await.unwrap();
        wait_until(|| far.has(number)).await;
        assert!(begun.elapsed() < LEASE / 50, "{:?}", begun.elapsed());
        wait_until(|| far.position() == position.sequence).await;
        sleep(LEASE * number.try_into().unwrap() / 7).await;
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_in_the_chain_stays_fresh_with_few_requests() {
    let chain = Chain::new();
    let (near, far) = (
        Heard::follow(&chain.near).await,
        Heard::follow(&chain.far).await,
    );
    let (begun, polls) = (Instant::now(), chain.link.link.polls.load(Ordering::SeqCst));
    let mut oldest = Duration::ZERO;
    for _ in 0..1000 {
        sleep(LEASE / 37).await;
        let now = chain.time.now();
        oldest = oldest
            .max(now.since(far.asked()))
            .max(now.since(near.asked()));
    }
    // A hop takes the wait of its request, and the same again until the next answer.
    assert!(oldest < LEASE * 9 / 10, "{oldest:?}");
    let intervals = begun.elapsed().as_millis() / (LEASE / 5).as_millis();
    let polls = chain.link.link.polls.load(Ordering::SeqCst) - polls;
    assert!(polls < usize::try_from(intervals).unwrap() * 2, "{polls}");
    // One connection for all questions, and one for what the other relay had not read at the beginning.
    assert!(chain.wires[0].opened.load(Ordering::SeqCst) <= 2);
}

#[tokio::test(start_paused = true)]
async fn leaf_that_knows_more_than_the_log_is_fresh_again() {
    let chain = Chain::new();
    let far = Heard::follow(&chain.far).await;
    chain.engine.put((1..=10).map(record));
    wait_until(|| far.position() == 10).await;
    // The relay does not give back what only others have put, and a leaf cannot.
    chain.engine.lose(3);
    let begun = chain.time.now();
    wait_until(|| far.asked().since(begun) > Duration::ZERO).await;
    assert!(chain.time.now().since(begun) < LEASE);
    assert!((1..=10).all(|number| far.has(number)));
}

#[tokio::test(start_paused = true)]
async fn cut_at_the_root_ends_the_lease_at_the_end_of_the_chain() {
    let chain = Chain::new();
    let far = Heard::follow(&chain.far).await;
    for round in 0..5 {
        sleep(LEASE * 2 + LEASE / 13 * round).await;
        // The relays still answer each other, and nothing that they say is younger than this.
        let last_contact = chain.time.now();
        chain.link.link.is_cut.store(true, Ordering::SeqCst);
        sleep(LEASE * 3).await;
        assert_eq!(far.asked().since(last_contact), Duration::ZERO);
        chain.link.link.is_cut.store(false, Ordering::SeqCst);
        let begun = chain.time.now();
        wait_until(|| far.asked().since(begun) > Duration::ZERO).await;
    }
}

#[tokio::test(start_paused = true)]
async fn wire_that_hangs_ends_the_lease_and_comes_back() {
    let chain = Chain::new();
    let far = Heard::follow(&chain.far).await;
    for wire in &chain.wires {
        sleep(LEASE * 2).await;
        let last_contact = chain.time.now();
        wire.hang(true);
        chain.engine.put([record(1)]);
        sleep(LEASE * 3).await;
        assert_eq!(far.asked().since(last_contact), Duration::ZERO);
        wire.hang(false);
        let begun = chain.time.now();
        wait_until(|| far.asked().since(begun) > Duration::ZERO).await;
        assert!(far.has(1));
    }
}

#[tokio::test(start_paused = true)]
async fn relay_that_restarts_is_followed_again() {
    let (time, engine, wire) = (Time::begin(), Model::new(), Wire::new());
    let relay = Arc::new(Mutex::new(feed(&time.node(engine.connection(), 1))));
    let current = relay.clone();
    let open = wire.to(move || current.lock().unwrap().clone());
    let leaf = time.node(Leaf::new(place(), open, LEASE), 2);
    let heard = Heard::follow(&leaf).await;
    sleep(LEASE).await;
    *relay.lock().unwrap() = feed(&time.node(engine.connection(), 3));
    wire.close();
    engine.put([record(1)]);
    let begun = time.now();
    wait_until(|| heard.has(1) && heard.asked().since(begun) > Duration::ZERO).await;
    assert!(
        time.now().since(begun) < LEASE,
        "{:?}",
        time.now().since(begun)
    );
}

#[tokio::test(start_paused = true)]
async fn relay_that_is_behind_costs_its_leaves_no_incarnation() {
    let (time, engine, wire) = (Time::begin(), Model::new(), Wire::new());
    engine.put([record(1)]);
    let link = engine.connection();
    let behind = time.node(link.clone(), 1);
    let behind = (feed(&behind), Heard::follow(&behind).await);
    sleep(LEASE).await;
    link.link.is_cut.store(true, Ordering::SeqCst);
    engine.lose(0);
    let ahead = time.node(engine.connection(), 2);
    let ahead = (feed(&ahead), Heard::follow(&ahead).await);
    sleep(LEASE).await;

    // Both have the same name.
    let relay = Arc::new(Mutex::new(ahead.0.clone()));
    let current = relay.clone();
    let open = wire.to(move || current.lock().unwrap().clone());
    let leaf = time.node(Leaf::new(place(), open, LEASE), 3);
    let heard = Heard::follow(&leaf).await;
    for _ in 0..3 {
        sleep(LEASE).await;
        let left = time.now();
        *relay.lock().unwrap() = behind.0.clone();
        wire.close();
        sleep(LEASE * 2).await;
        assert_eq!(heard.asked().since(left), Duration::ZERO);

        let back = time.now();
        *relay.lock().unwrap() = ahead.0.clone();
        wire.close();
        wait_until(|| heard.asked().since(back) > Duration::ZERO).await;
        let took = time.now().since(back);
        assert!(took < LEASE, "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn snapshot_goes_on_where_the_connection_broke() {
    let (time, engine, wire) = (Time::begin(), Model::new(), Wire::new());
    engine.put((1..=20_000).map(record));
    let link = engine.connection();
    let relay = time.node(link.clone(), 1);
    let service = feed(&relay);
    let leaf = time.leaf(&wire, service, 2);
    let following = tokio::spawn(async move { (Heard::follow(&leaf).await, leaf) });
    // The relay itself does not read what it served before.
    for _ in 0..4 {
        tokio::task::yield_now().await;
        wire.close();
    }
    let (heard, _leaf) = following.await.unwrap();
    assert!(heard.has(1) && heard.has(20_000));
    // Only pages that were on their way when it broke were sent twice.
    assert!(heard.records() <= 24_000, "{}", heard.records());
}

#[tokio::test(start_paused = true)]
async fn leaf_that_is_further_behind_than_the_memory_of_the_relay_catches_up() {
    let chain = Chain::new();
    let near = Heard::follow(&chain.near).await;
    chain.engine.put([record(0)]);
    wait_until(|| near.has(0)).await;
    chain.wires[0].hang(true);
    chain.engine.put((1..=70_000).map(record));
    let own = Heard::follow(&chain.relay).await;
    wait_until(|| own.has(70_000)).await;
    chain.wires[0].hang(false);
    wait_until(|| near.position() == 70_001).await;
    assert_eq!(near.records(), 70_001);
}

#[tokio::test(start_paused = true)]
async fn relay_reports_what_its_slowest_leaf_has() {
    let chain = Chain::new();
    let far = Heard::follow(&chain.far).await;
    chain.engine.put([record(1)]);
    wait_until(|| far.position() == 1 && chain.link.applied() == Some(1)).await;
    chain.wires[1].hang(true);
    chain.engine.put([record(2)]);
    // The relays have it, and the last leaf may still accept what it covers.
    let begun = Instant::now();
    while begun.elapsed() < LEASE / 2 {
        sleep(LEASE / 50).await;
        assert_eq!(chain.link.applied(), Some(1));
    }
    wait_until(|| chain.link.applied() == Some(2)).await;
    let lease = LEASE.mul_f64(1.02);
    assert!(begun.elapsed() < lease * 3, "{:?}", begun.elapsed());
    assert!(!far.has(2));
    chain.wires[1].hang(false);
    wait_until(|| far.has(2)).await;
}

#[tokio::test(start_paused = true)]
async fn leaves_take_over_another_incarnation() {
    let chain = Chain::new();
    let far = Heard::follow(&chain.far).await;
    chain.engine.put((1..=10).map(record));
    wait_until(|| far.position() == 10).await;
    chain.engine.lose(3);
    chain.engine.put((20..=21).map(record));
    wait_until(|| far.has(21)).await;
    let begun = chain.time.now();
    wait_until(|| far.asked().since(begun) > Duration::ZERO).await;
    // What was lost in the engine is still refused here.
    assert!((1..=10).all(|number| far.has(number)));
}

#[tokio::test(start_paused = true)]
async fn relay_that_was_closed_makes_nobody_complete_and_stays_listed_while_somebody_relies_on_it()
{
    let chain = Chain::new();
    let near = Heard::follow(&chain.near).await;
    sleep(LEASE).await;
    chain.relay.close().await.unwrap();
    assert_eq!(chain.engine.members(), 1, "others wait for its lease");
    let closed = chain.time.now();
    let late = chain.time.leaf(&chain.wires[0], feed(&chain.relay), 5);
    let heard = Arc::<Heard>::default();
    let reader: Arc<dyn Reader> = heard.clone();
    let following = late.follow(Arc::downgrade(&reader));
    assert!(timeout(LEASE * 3, following).await.is_err());
    assert!(heard.0.lock().unwrap().1.is_none());
    assert_eq!(near.asked().since(closed), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn relay_that_nobody_follows_is_not_listed_once_it_was_closed() {
    let (time, engine) = (Time::begin(), Model::new());
    let relay = time.node(engine.connection(), 1);
    let _feed = feed(&relay);
    let _index = Heard::follow(&relay).await;
    wait_until(|| engine.members() == 1).await;
    relay.close().await.unwrap();
    assert_eq!(engine.members(), 0);
}
