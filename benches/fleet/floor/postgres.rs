//! PostgreSQL, by its driver.

use std::time::Instant;

use tokio_postgres::{Client, NoTls, Statement};
use tower_revocation::log::{Revocation, RevocationLog as _};

use crate::{Sorted, Watch, connect, fresh};

pub(crate) struct Connection {
    client: Client,
    upsert: Statement,
}

const TABLE: &str = "create table if not exists floor (
    selector bytea primary key, not_before bigint not null, expires bigint not null
)";

const UPSERT: &str = "insert into floor
    select * from unnest($1::bytea[], $2::bigint[], $3::bigint[]) on conflict (selector) do update
    set not_before = greatest(floor.not_before, excluded.not_before),
        expires = greatest(floor.expires, excluded.expires)";

/// This many records are appended while a snapshot is open.
const MANY: usize = 20_000;
/// In one append.
const BATCH: usize = 500;
/// How often is measured, before and after.
const TIMES: usize = 200;

impl Connection {
    pub(crate) async fn open(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls)
            .await
            .expect("the server answers");
        tokio::spawn(connection);
        client.batch_execute(TABLE).await.expect("an empty server");
        let upsert = client.prepare(UPSERT).await.expect("the table is there");
        Self { client, upsert }
    }

    pub(crate) async fn upsert(&self, records: &[Revocation]) {
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let selectors: Vec<_> = records
            .iter()
            .map(|record| record.selector().to_bytes().to_vec())
            .collect();
        let not_before: Vec<_> = records
            .iter()
            .map(|record| seconds(record.not_before().seconds()))
            .collect();
        let expires: Vec<_> = records
            .iter()
            .map(|record| seconds(record.expires().seconds()))
            .collect();
        self.client
            .execute(&self.upsert, &[&selectors, &not_before, &expires])
            .await
            .expect("the server answers");
    }

    /// An open snapshot keeps the dead versions of all rows, as a long backup does.
    pub(crate) async fn old_snapshot(&self, url: &str) {
        let (log, other) = (connect(url).await, connect(url).await);
        let watch = Watch::follow(&other).await;
        let [before, after] = ["before", "after"].map(|_| Sorted::default());
        let mut measured = [before, after];
        for (part, sorted) in measured.iter_mut().enumerate() {
            for _ in 0..TIMES {
                let begun = Instant::now();
                let position = log.append(vec![fresh()]).await;
                watch.reached(position.expect("the server answers")).await;
                sorted.add(begun.elapsed());
            }
            if part == 0 {
                let begin = "begin isolation level repeatable read; select count(*) from floor";
                let opened = self.client.batch_execute(begin).await;
                opened.expect("the server answers");
                for _ in 0..MANY / BATCH {
                    let records = (0..BATCH).map(|_| fresh()).collect();
                    log.append(records).await.expect("the server answers");
                }
            }
        }
        let ended = self.client.batch_execute("commit").await;
        ended.expect("the server answers");
        println!("an old snapshot is open, {TIMES} times each\n");
        Sorted::header();
        let of = measured[0].both();
        measured[0].print("append until another node refuses", of);
        measured[1].print("… after 20,000 appends with the snapshot", of);
        println!();
    }
}
