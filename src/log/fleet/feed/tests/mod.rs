//! Relays and leaves over connections in memory, with a clock that the test moves.

mod hops;
mod leases;
mod limits;
mod model;
mod network;
mod reading;
mod requests;
mod wire;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};

use self::{
    model::Model,
    wire::{Wire, place},
};
use super::{
    super::{
        FleetLog,
        core::NodeSettings,
        driver::Clock,
        engine::{Cursor, Engine, History, Incarnation, Membership, Page},
    },
    leaf::Leaf,
    service::{FeedBody, FeedService},
};
use crate::log::{Moment, NumericDate, Position, Reader, Revocation, RevocationLog as _, Selector};

const LEASE: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(3600);

/// The record with a number.
pub(super) fn record(number: u64) -> Revocation {
    Revocation::forever(Selector::grant(&number.to_string()), NumericDate::FOREVER)
}

/// Its place in the log.
pub(super) fn cursor(sequence: u64) -> Cursor {
    let mark = sequence * 1000;
    Cursor { sequence, mark }
}

/// The records after one, up to another one.
pub(super) fn page(after: u64, upto: u64) -> Page {
    Page {
        incarnation: Incarnation(1),
        history: History::Same,
        upto: cursor(upto),
        records: (after + 1..=upto).map(record).collect(),
        more: false,
        expected: None,
        forgotten: NumericDate::new(0),
        membership: Membership {
            was_listed: true,
            barrier: false,
            report_wanted: false,
            members: Vec::new(),
        },
        age: Duration::ZERO,
        engine_now: None,
    }
}

/// One clock for all nodes of a test, which goes with the timer of the runtime.
#[derive(Clone)]
struct Time(Clock);

impl Time {
    fn begin() -> Self {
        let (begun, moment) = (Instant::now(), Moment::now());
        Self(Arc::new(move || moment + begun.elapsed()))
    }

    fn now(&self) -> Moment {
        (self.0)()
    }

    fn node(&self, engine: impl Engine, seed: u64) -> FleetLog {
        let settings = NodeSettings {
            lease: LEASE,
            append_timeout: Duration::from_secs(2),
            waits: false,
            seed,
            name: "node".into(),
        };
        FleetLog::start(engine, settings, self.0.clone())
    }

    /// A node that follows a relay.
    fn leaf(&self, wire: &Wire, relay: FeedService, seed: u64) -> FleetLog {
        let leaf = Leaf::new(place(), wire.to(move || relay.clone()), LEASE);
        self.node(leaf, seed)
    }
}

fn feed(log: &FleetLog) -> FeedService {
    FeedService::authorized_by(log, |_| Some("everybody"))
}

/// Waits until a condition is met, by the clock of the runtime.
async fn wait_until(mut is_met: impl FnMut() -> bool) {
    let waiting = async {
        while !is_met() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(HOUR, waiting).await.expect("never met");
}

/// What a log has told a reader.
#[derive(Default)]
struct Heard(Mutex<(Vec<Revocation>, Complete)>);

type Complete = Option<(Position, Moment)>;

impl Heard {
    async fn follow(log: &FleetLog) -> Arc<Self> {
        let heard = Arc::<Self>::default();
        let reader: Arc<dyn Reader> = heard.clone();
        log.follow(Arc::downgrade(&reader)).await.unwrap();
        heard
    }

    fn has(&self, number: u64) -> bool {
        self.0.lock().unwrap().0.contains(&record(number))
    }

    fn records(&self) -> usize {
        self.0.lock().unwrap().0.len()
    }

    /// As of when it is complete.
    fn asked(&self) -> Moment {
        self.0.lock().unwrap().1.unwrap().1
    }

    fn position(&self) -> u64 {
        self.0.lock().unwrap().1.unwrap().0.sequence
    }
}

impl Reader for Heard {
    fn read(&self, records: &[Revocation]) {
        self.0.lock().unwrap().0.extend(records);
    }

    fn complete(&self, position: Position, asked: Moment) {
        self.0.lock().unwrap().1 = Some((position, asked));
    }

    fn forgotten(&self, _: NumericDate) {}
}
