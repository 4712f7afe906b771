//! Which lease can a process have that follows a relay?

use super::{
    super::super::{engine::Ask, tests::contract::line},
    *,
};

/// What is wrong with following a relay with this lease.
async fn refusal(relay: &FleetLog, lease: Duration) -> Option<String> {
    let relay = feed(relay);
    let leaf = Leaf::new(place(), Wire::new().to(move || relay.clone()), lease);
    let refused = leaf.check().await.err();
    refused.map(|fault| fault.to_string())
}

/// What is wrong with it, if the relay was too busy to say so at the start.
async fn refusal_of_a_poll(relay: &FleetLog, lease: Duration) -> Option<String> {
    let relay = feed(relay);
    let leaf = Leaf::new(place(), Wire::new().to(move || relay.clone()), lease);
    let asked = leaf.poll(Ask::reading(Cursor::default())).await;
    asked.err().map(|error| line(&error))
}

#[tokio::test(start_paused = true)]
async fn lease_that_would_end_without_a_fault_is_refused() {
    let (time, engine) = (Time::begin(), Model::new());
    let mut relay = time.node(engine.connection(), 1);
    let mut readers = vec![Heard::follow(&relay).await];
    for hops in 1..=2 {
        let shortest = LEASE * 2 / 5 * hops;
        assert_eq!(refusal(&relay, LEASE).await, None);
        assert_eq!(refusal(&relay, shortest).await, None);
        let shorter = shortest * 99 / 100;
        assert_eq!(refusal_of_a_poll(&relay, shortest).await, None);
        for line in [
            refusal(&relay, shorter).await,
            refusal_of_a_poll(&relay, shorter).await,
        ] {
            let line = line.expect("a shorter lease is accepted");
            assert!(
                line.contains(&format!("to at least {shortest:?}")) && line.contains("`lease`"),
                "{line}"
            );
        }
        relay = time.leaf(&Wire::new(), feed(&relay), 1 + u64::from(hops));
        readers.push(Heard::follow(&relay).await);
    }
    // Behind a third relay, each lease would end.
    let line = refusal(&relay, LEASE).await;
    let line = line.expect("three relays in a row are accepted");
    assert!(line.contains("too many relays"), "{line}");
}
