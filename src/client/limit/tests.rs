//! The counts, with a clock of the test.

use std::net::{IpAddr, Ipv4Addr};

use proptest::{collection::vec, prelude::*};

use super::failures::{Admitted, AttemptEnd, Failures, Limits};
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const VICTIM: Option<&str> = Some("s6BhdRkqt3");

/// One attempt, settled at once. `Err` is how long to wait.
struct Table {
    failures: Failures,
    limits: Limits,
    start: Instant,
}

impl Table {
    fn new() -> Self {
        Self {
            failures: Failures::new(),
            limits: Limits {
                failures: 3,
                window: 60 * SECOND,
                clients_per_peer: 5,
                capacity: 20,
            },
            start: Instant::now(),
        }
    }

    fn admit(&self, peer: IpAddr, id: Option<&str>, second: u32) -> Result<Admitted, Duration> {
        let now = self.start + second * SECOND;
        self.failures.admit(peer, id, self.limits, now)
    }

    fn attempt(
        &self,
        peer: IpAddr,
        id: Option<&str>,
        second: u32,
        end: AttemptEnd,
    ) -> Result<(), Duration> {
        let admitted = self.admit(peer, id, second)?;
        self.failures.settle(admitted, end);
        Ok(())
    }

    fn fail(&self, peer: IpAddr, id: Option<&str>, second: u32) -> Result<(), Duration> {
        self.attempt(peer, id, second, AttemptEnd::Failed)
    }
}

fn peer(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number))
}

fn v6(address: &str) -> IpAddr {
    address.parse().unwrap()
}

#[test]
fn refusal_states_when_the_window_ends() {
    let table = Table::new();
    for second in [0, 10, 20] {
        table.fail(peer(1), VICTIM, second).unwrap();
    }
    assert_eq!(table.fail(peer(1), VICTIM, 25), Err(35 * SECOND));
    assert_eq!(table.fail(peer(1), VICTIM, 59), Err(SECOND));
    table.fail(peer(1), VICTIM, 60).unwrap();
    table.fail(peer(1), VICTIM, 61).unwrap();
    table.fail(peer(1), VICTIM, 62).unwrap();
    assert_eq!(table.fail(peer(1), VICTIM, 63), Err(57 * SECOND));
}

#[test]
fn attempt_counts_in_the_window_in_which_it_began() {
    let table = Table::new();
    let late: Vec<_> = (0..3)
        .map(|_| table.admit(peer(1), VICTIM, 0).unwrap())
        .collect();
    assert_eq!(table.admit(peer(1), VICTIM, 1).unwrap_err(), SECOND);
    table.fail(peer(1), VICTIM, 60).unwrap();
    for admitted in late {
        table.failures.settle(admitted, AttemptEnd::Succeeded);
    }
    // An attempt of an earlier window counts neither as a success nor as a failure of this one.
    table.fail(peer(1), VICTIM, 61).unwrap();
    table.fail(peer(1), VICTIM, 61).unwrap();
    table.fail(peer(1), VICTIM, 61).unwrap_err();
}

#[test]
fn address_of_a_subscriber_is_one_peer() {
    let table = Table::new();
    for host in ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3"] {
        table.fail(v6(host), VICTIM, 0).unwrap();
    }
    table.fail(v6("2001:db8::4"), VICTIM, 0).unwrap_err();
    table.fail(v6("2001:db8:0:1::4"), VICTIM, 0).unwrap();

    for host in ["192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7"] {
        table.fail(v6(host), VICTIM, 0).unwrap();
    }
    table.fail(v6("::ffff:192.0.2.7"), VICTIM, 0).unwrap_err();
    table.fail(v6("::ffff:192.0.2.8"), VICTIM, 0).unwrap();
}

#[test]
fn random_client_ids_from_one_address_reset_no_count() {
    let table = Table::new();
    for _ in 0..3 {
        table.fail(peer(1), VICTIM, 0).unwrap();
    }
    let flood = |number: usize| table.fail(peer(1), Some(&number.to_string()), 1);
    assert_eq!(
        (0..10_000).filter(|&number| flood(number).is_ok()).count(),
        4
    );
    assert_eq!(table.fail(peer(1), VICTIM, 2), Err(58 * SECOND));
    assert_eq!(table.failures.len(), (1, 5));
    // Other addresses are not affected.
    table.fail(peer(2), VICTIM, 2).unwrap();
}

#[test]
fn known_clients_of_a_full_address_keep_their_own_count() {
    let table = Table::new();
    table.fail(peer(1), VICTIM, 0).unwrap();
    for number in 0..100 {
        let _ = table.fail(peer(1), Some(&number.to_string()), 0);
    }
    table
        .attempt(peer(1), VICTIM, 1, AttemptEnd::Succeeded)
        .unwrap();
    // The oldest address was removed.
    table.fail(peer(1), Some("another"), 1).unwrap();
    table.fail(peer(1), VICTIM, 1).unwrap_err();
}

#[test]
fn few_addresses_cannot_evict_their_own_counts() {
    let table = Table::new();
    // There is room for four addresses with five clients each.
    for number in 1..=4 {
        for _ in 0..3 {
            table.fail(peer(number), VICTIM, 0).unwrap();
        }
    }
    for id in 0..1000 {
        let _ = table.fail(peer(1 + id % 4), Some(&id.to_string()), 1);
    }
    for number in 1..=4 {
        table.fail(peer(number), VICTIM, 2).unwrap_err();
    }
}

#[test]
fn memory_is_bounded() {
    let table = Table::new();
    for number in 0..10_000 {
        let _ = table.fail(peer(number / 2), Some(&number.to_string()), 0);
        assert!(table.failures.len().1 <= 20);
    }
    for second in 60..65 {
        table.fail(peer(0), VICTIM, second).unwrap_or_default();
    }
    assert_eq!(table.failures.len(), (1, 1));
}

#[test]
fn success_removes_the_count() {
    let table = Table::new();
    for end in [AttemptEnd::Succeeded, AttemptEnd::Unknown] {
        for _ in 0..100 {
            table.attempt(peer(1), VICTIM, 0, end).unwrap();
        }
        assert_eq!(table.failures.len(), (0, 0));
    }
}

#[test]
fn missing_client_id_differs_from_an_empty_one() {
    let table = Table::new();
    for _ in 0..3 {
        table.fail(peer(1), None, 0).unwrap();
    }
    table.fail(peer(1), None, 0).unwrap_err();
    table.fail(peer(1), Some(""), 0).unwrap();
}

#[test]
fn debug_output_has_neither_clients_nor_addresses() {
    let table = Table::new();
    table.fail(v6("192.0.2.7"), VICTIM, 0).unwrap();
    let text = format!("{:?}", table.failures);
    assert!(!text.contains("s6Bh") && !text.contains("192"), "{text}");
}

proptest! {
    /// Attempts begin and end in any order, without a success.
    #[test]
    fn failures_never_exceed_the_limit_in_a_window(
        steps in vec((any::<bool>(), 0_u32..3, 0_u32..3, 0_u32..4, 0_usize..8), 1..200),
    ) {
        let table = Table::new();
        let (mut second, mut under_way) = (0, Vec::new());
        let mut begun = Vec::new();
        for (ends, from, id, later, which) in steps {
            second += later;
            if ends && !under_way.is_empty() {
                let admitted = under_way.swap_remove(which % under_way.len());
                table.failures.settle(admitted, AttemptEnd::Failed);
            } else if let Ok(admitted) = table.admit(peer(from), Some(&id.to_string()), second) {
                under_way.push(admitted);
                begun.push((from, id, second));
            }
        }
        // Three failures fit into a window. Of seven in a row, the last is two windows after the
        // first.
        for from in 0..3 {
            for id in 0..3 {
                let of_one = begun.iter().filter(|begun| (begun.0, begun.1) == (from, id));
                let of_one: Vec<_> = of_one.map(|begun| begun.2).collect();
                for run in of_one.windows(7) {
                    prop_assert!(run[6] - run[0] >= 60, "{:?}", run);
                }
            }
        }
    }
}
