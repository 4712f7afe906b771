//! Many callers on several nodes.

use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::spawn;
use tower_revocation::log::{FleetLog, RevocationLog as _};

use crate::{Floor, connect, fresh};

const NODES: usize = 4;
const CALLERS: u32 = 64;
const ROUNDS: usize = 5;
/// How long one part runs in a round.
const TURN: Duration = Duration::from_secs(2);

pub(crate) async fn measure(url: &str, floor: &Floor) {
    let (mut floors, mut logs) = (Vec::new(), Vec::new());
    for _ in 0..NODES {
        floors.push(floor.another(url).await);
        logs.push(connect(url).await);
    }
    let (mut ratios, mut rates) = (Vec::new(), [0.0, 0.0]);
    for round in 0..=ROUNDS {
        let upserts = rate(floors.iter().map(upserts)).await;
        let callers = logs.iter().flat_map(|log| [log; CALLERS as usize]);
        let appends = rate(callers.map(|log| spawned(log.clone()))).await;
        // The first round makes connections and files.
        if round > 0 {
            rates = [upserts, appends];
            ratios.push(appends / upserts);
        }
    }
    ratios.sort_by(f64::total_cmp);
    println!("{NODES} nodes with {CALLERS} callers each, records a second in the last round\n");
    let [upserts, appends] = rates;
    println!(
        "{:<45} {upserts:>12.0}",
        format!("unordered upserts, {CALLERS} in a commit"),
    );
    println!(
        "{:<45} {appends:>12.0}   × {:.2} (of {ROUNDS} rounds: {:.2} to {:.2})\n",
        "appends",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1],
    );
}

/// Writes as many records at once as a node has callers. Returns how many it has written.
async fn upserts(floor: &Floor) -> f64 {
    let (begun, mut done) = (Instant::now(), 0.0);
    while begun.elapsed() < TURN {
        let records: Vec<_> = (0..CALLERS).map(|_| fresh()).collect();
        floor.upsert(&records).await;
        done += f64::from(CALLERS);
    }
    done
}

/// One caller. Returns how many records it has appended.
async fn appends(log: &FleetLog) -> f64 {
    let (begun, mut done) = (Instant::now(), 0.0);
    while begun.elapsed() < TURN {
        log.append(vec![fresh()]).await.expect("the server answers");
        done += 1.0;
    }
    done
}

/// A caller is a task, as in a server.
async fn spawned(log: FleetLog) -> f64 {
    let caller = spawn(async move { appends(&log).await });
    caller.await.expect("the server answers")
}

/// The records a second of all together.
async fn rate(parts: impl Iterator<Item = impl Future<Output = f64>>) -> f64 {
    let begun = Instant::now();
    let done: f64 = join_all(parts).await.into_iter().sum();
    done / begun.elapsed().as_secs_f64()
}
