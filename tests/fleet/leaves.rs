//! Many processes that follow one relay. `FLEET_LEAVES=1000` sets how many; there are 20 without it.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _, stdin},
    process::{Child, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::{StreamExt as _, stream};
use tokio::time::sleep;
use tower_revocation::{
    enforce::{Freshness, Index},
    log::{FleetLog, RevocationLog as _},
};

use crate::{
    nodes::{LEASE, covers, grant, index, node, wait_until},
    port::free_port,
    postgres::Server,
    relays::{Relay, has_token, with_the_token},
};

/// Says to a process that it is the one with the leaves, and whom they follow.
const RELAY: &str = "FLEET_LEAVES_OF";
const TEST: &str = "leaves::record_reaches_every_leaf_of_one_relay";
/// For so long nothing happens.
const CALM: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn record_reaches_every_leaf_of_one_relay() {
    if !has_token(TEST) {
        return;
    }
    if let Ok(relay) = env::var(RELAY) {
        return follow_as_many(&relay).await;
    }
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let root = node(&server).await;
    let relay = Relay::start(&server.url("postgres"), free_port()).await;
    // Until the relay has the log in memory, it serves eight at once.
    let url = relay.url();
    let first = FleetLog::builder(&url).lease(LEASE).connect().await;
    let first = index(&first.unwrap()).await;
    wait_until("served", || first.freshness() == Freshness::Fresh).await;
    let before = Usage::now();
    let mut leaves = Leaves::start(&relay.url());
    println!("all follow: {}", leaves.says("all follow after"));
    let joined = Usage::now();
    sleep(CALM).await;
    let calm = Usage::now();
    println!(
        "relay: {} kB for the leaves, {:.1} % of a core while nothing happens",
        joined.kilobytes.saturating_sub(before.kilobytes),
        100.0
            * calm
                .processor
                .saturating_sub(joined.processor)
                .as_secs_f64()
            / CALM.as_secs_f64(),
    );
    let begun = since_1970();
    root.append(vec![grant(1)]).await.unwrap();
    let last: u64 = leaves.says("all refuse at").parse().unwrap();
    let took = Duration::from_micros(last).saturating_sub(begun);
    println!("all refuse {took:?} after the revocation was sent");
    println!(
        "relay: {:?} of a core for that",
        Usage::now().processor.saturating_sub(calm.processor)
    );
    println!("stale observations: {}", leaves.says("stale observations:"));
}

/// What the process with the leaves does.
async fn follow_as_many(relay: &str) {
    let count = env::var("FLEET_LEAVES").map_or(20, |count| count.parse().unwrap());
    let begun = Instant::now();
    let join = |_| async {
        let log = FleetLog::builder(relay).lease(LEASE).connect().await;
        let log = log.expect("the relay answers");
        let index = index(&log).await;
        (log, index)
    };
    let joined = stream::iter(0..count).map(join).buffer_unordered(64);
    let leaves: Vec<(FleetLog, Index)> = joined.collect().await;
    say(
        "all follow after",
        &format!("{count} leaves, {:?}", begun.elapsed()),
    );
    let mut stale = 0;
    let refuse = |(_, index): &(FleetLog, Index)| covers(index, 1);
    while !leaves.iter().all(refuse) {
        stale += leaves
            .iter()
            .filter(|leaf| leaf.1.freshness() != Freshness::Fresh)
            .count();
        sleep(Duration::from_millis(1)).await;
    }
    say("all refuse at", &since_1970().as_micros().to_string());
    say("stale observations:", &stale.to_string());
    let complete = |leaf: &(FleetLog, Index)| leaf.1.position().sequence == 1;
    wait_until("complete", || leaves.iter().all(complete)).await;
    let _ = stdin().read(&mut [0]);
}

/// The process with the leaves.
struct Leaves {
    process: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Leaves {
    fn start(relay: &str) -> Self {
        let mut process = with_the_token(TEST)
            .env(RELAY, relay)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// Waits for a line that begins like this, and returns the rest of it.
    fn says(&mut self, what: &str) -> String {
        tokio::task::block_in_place(|| {
            for line in (&mut self.lines).lines() {
                let line = line.unwrap();
                if let Some((_, rest)) = line.split_once(&format!("{what} ")) {
                    return rest.to_owned();
                }
            }
            panic!("the process with the leaves has ended");
        })
    }
}

impl Drop for Leaves {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn say(what: &str, rest: &str) {
    println!("{what} {rest}");
    std::io::stdout().flush().unwrap();
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// What this process has used: the relay, and the one that revokes.
struct Usage {
    processor: Duration,
    kilobytes: u64,
}

impl Usage {
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: u64 = [11, 12]
            .map(|at| fields[at].parse::<u64>().unwrap())
            .iter()
            .sum();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.unwrap().trim().trim_end_matches(" kB").parse();
        Self {
            // A hundred in a second, on every Linux.
            processor: Duration::from_millis(ticks * 10),
            kilobytes: kilobytes.unwrap(),
        }
    }
}
