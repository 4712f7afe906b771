//! How long does a writer keep readers out?
//!
//! From outside, this is too short to be distinguished from an interruption of the thread. So these
//! tests measure it. They print figures and check none:
//!
//! ```sh
//! cargo test --release --lib -- --ignored --nocapture keeps_readers_out
//! ```

use std::{
    mem,
    time::{Duration, Instant},
};

use super::{
    SHARDS, aside,
    row::{Forever, Row, Second},
    shard::{
        Shard,
        tests::{merge, tag},
    },
    sweep::STEP,
};

/// The rows of a full shard, beside ten million others.
const ROWS: u32 = 28_672;

fn shards() -> impl Iterator<Item = Shard> {
    let full = |_| {
        let shard = Shard::default();
        for number in 0..ROWS {
            merge(&shard, number, Second::NEVER, number);
        }
        shard
    };
    // All of them first: one shard alone would stay in the caches.
    (0..SHARDS).map(full).collect::<Vec<_>>().into_iter()
}

fn print(what: &str, times: impl Iterator<Item = Duration>) {
    let mut times: Vec<_> = times.collect();
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{what}: {median:?}, at most {longest:?}");
}

#[test]
#[ignore = "prints how long a shard that grows keeps readers out"]
fn growth_keeps_readers_out() {
    let in_place = shards().map(|shard| {
        let begun = Instant::now();
        let mut rows = shard.writer();
        rows.write().forever.reserve(1, |row| row.tag.hash());
        begun.elapsed()
    });
    print("growth under the lock", in_place);
    let exchanged = shards().map(|shard| {
        let mut writer = shard.writer();
        let grown = aside::grown(&writer.read().forever);
        let begun = Instant::now();
        let old = mem::replace(Forever::of_mut(&mut writer.write()), grown);
        let exchanged = begun.elapsed();
        drop(old);
        exchanged
    });
    print("exchange", exchanged);
    let merged = shards().map(|shard| {
        merge(&shard, ROWS, Second::NEVER, 0);
        let begun = Instant::now();
        let mut writer = shard.writer();
        writer
            .write()
            .merge(tag(ROWS + 1), Second::NEVER, Second(0));
        begun.elapsed()
    });
    print("one more row", merged);
}

#[test]
#[ignore = "prints how long a sweep keeps readers out"]
fn sweep_keeps_readers_out() {
    let removed = shards().map(|shard| {
        let mut writer = shard.writer();
        // As in a sweep, all rows have just been read.
        let buckets: Vec<_> = {
            let rows = writer.read();
            let table = &rows.forever;
            let buckets = table.iter_buckets();
            let found = buckets.filter(|it| {
                table
                    .get_bucket(*it)
                    .is_some_and(|row| row.expires.0 % 60 == 0)
            });
            found.collect()
        };
        let begun = Instant::now();
        writer.remove_step::<Forever>(&buckets[..STEP]);
        begun.elapsed()
    });
    print("a step of a sweep", removed);
}
