//! What a log on a server costs, compared with the bare server in the same run.
//!
//! ```sh
//! FLEET_URL=postgres://postgres@127.0.0.1/postgres cargo bench --bench fleet
//! FLEET_URL=redis://127.0.0.1:6379 cargo bench --bench fleet
//! ```
//!
//! Needs a server of its own, empty and on this machine. Its settings decide what is measured. The
//! benchmark leaves its tables behind. Two or more turns of each part take turns, because the disk
//! changes its speed within seconds.

mod floor;
mod join;
mod seen;
mod sorted;
mod throughput;

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tower_revocation::log::{FleetLog, NumericDate, Revocation, RevocationLog as _, Selector};

use floor::Floor;
use seen::Watch;
use sorted::Sorted;

/// How many appends of each kind are measured in a round.
const APPENDS: usize = 100;
const ROUNDS: usize = 7;

#[tokio::main]
async fn main() {
    let Ok(url) = env::var("FLEET_URL") else {
        println!("set FLEET_URL to the URL of an empty server");
        return;
    };
    let floor = Floor::connect(&url).await;
    latency(&url, &floor).await;
    throughput::measure(&url, &floor).await;
    floor.old_snapshot(&url).await;
    join::measure(&url).await;
    waiting(&url).await;
}

/// One caller appends, and another node waits for the record.
async fn latency(url: &str, floor: &Floor) {
    let (log, other) = (connect(url).await, connect(url).await);
    let watch = Watch::follow(&other).await;
    let [mut upserts, mut appends, mut seen] = [(); 3].map(|()| Sorted::default());
    for round in 0..=ROUNDS {
        // The first round makes connections and files.
        let keep = |sorted: &mut Sorted, took| {
            if round > 0 {
                sorted.add(took);
            }
        };
        for _ in 0..APPENDS {
            let begun = Instant::now();
            floor.upsert(&[fresh()]).await;
            keep(&mut upserts, begun.elapsed());
        }
        for _ in 0..APPENDS {
            let begun = Instant::now();
            log.append(vec![fresh()]).await.expect("the server answers");
            keep(&mut appends, begun.elapsed());
        }
        for _ in 0..APPENDS {
            let begun = Instant::now();
            let position = log.append(vec![fresh()]).await;
            watch.reached(position.expect("the server answers")).await;
            keep(&mut seen, begun.elapsed());
        }
    }
    println!("one caller, {} times each\n", ROUNDS * APPENDS);
    let [upsert, append] = [&upserts, &appends].map(Sorted::both);
    Sorted::header();
    upserts.print("one durable upsert on a bare connection", upsert);
    appends.print("append, × upsert", upsert);
    seen.print("append until another node refuses, × append", append);
    println!();
}

/// Appends that wait until all of eight nodes refuse.
async fn waiting(url: &str) {
    let (asking, mut nodes) = (with(url, "ack=fleet"), Vec::new());
    let log = connect(&asking).await;
    nodes.push(Watch::follow(&log).await);
    for _ in 1..8 {
        nodes.push(Watch::follow(&connect(&asking).await).await);
    }
    // In the first lease, an append waits for leases that the database may not know of.
    log.append(vec![fresh()]).await.expect("the server answers");
    let mut waiting = Sorted::default();
    for _ in 0..APPENDS {
        let begun = Instant::now();
        log.append(vec![fresh()]).await.expect("the server answers");
        waiting.add(begun.elapsed());
    }
    println!("`ack=fleet` with eight nodes, {APPENDS} times\n");
    Sorted::header();
    waiting.print("append until all nodes refuse", waiting.both());
    println!();
}

async fn connect(url: &str) -> FleetLog {
    FleetLog::connect(url).await.expect("an empty server")
}

/// A URL with another parameter.
fn with(url: &str, parameter: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{parameter}")
}

/// A grant that was not revoked before, also not in another run.
fn fresh() -> Revocation {
    static GRANTS: AtomicU64 = AtomicU64::new(0);
    let (run, grant) = (std::process::id(), GRANTS.fetch_add(1, Ordering::Relaxed));
    let selector = Selector::grant(&format!("{run}-{grant}"));
    Revocation::forever(selector, NumericDate::now() + Duration::from_secs(86_400))
}
