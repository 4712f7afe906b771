//! A node that starts, and reads a long log.

use std::{env, fs, time::Instant};

use futures::{StreamExt as _, stream};
use tower_revocation::{enforce::Index, log::RevocationLog as _};

use crate::{connect, fresh};

/// How many records there are at least. `FLEET_RECORDS` sets another number.
const RECORDS: usize = 1_000_000;
/// In one append.
const BATCH: usize = 1000;
const ROUNDS: usize = 3;

pub(crate) async fn measure(url: &str) {
    let records = env::var("FLEET_RECORDS").ok();
    let records = records.map_or(RECORDS, |records| records.parse().expect("a number"));
    let log = connect(url).await;
    let batches = stream::iter((0..records / BATCH).map(|_| {
        let batch = (0..BATCH).map(|_| fresh()).collect();
        let log = &log;
        async move { log.append(batch).await.expect("the server answers") }
    }));
    // The node sends one batch while the next one is made.
    batches.buffer_unordered(2).count().await;
    println!("a node starts, with {records} records and those of the parts before\n");
    println!("{:>12} {:>12} {:>12}", "records", "s", "MiB more");
    for _ in 0..ROUNDS {
        let (before, begun) = (resident(), Instant::now());
        let log = connect(url).await;
        let index = Index::follow(&log).await.expect("the server answers");
        let took = begun.elapsed().as_secs_f64();
        let more = resident().saturating_sub(before) / 256;
        println!("{:>12} {took:>12.2} {more:>12}", index.len());
    }
    println!();
}

/// The pages of memory that this process uses.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.expect("a number of pages")
}
