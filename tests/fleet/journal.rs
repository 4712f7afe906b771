//! The journal of a log, which all nodes share.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use futures::future::join_all;
use tower_revocation::log::{
    FleetJournal, FleetLog, Journal as _, JournalEntry, JournalWrite, LogErrorKind,
    NewJournalEntry, NumericDate, RevocationLog as _,
};

use crate::{
    nodes::{LEASE, wait_until},
    port::free_port,
    postgres, redis,
    relays::{Relay, has_token},
};

const HOUR: Duration = Duration::from_secs(3600);

/// A server that can crash.
trait Crashes: Send {
    fn address(&self) -> String;
    fn kill(&mut self);
    fn restart(&mut self);
}

impl Crashes for postgres::Server {
    fn address(&self) -> String {
        self.url("postgres")
    }

    fn kill(&mut self) {
        self.stop("KILL");
    }

    fn restart(&mut self) {
        Self::restart(self);
    }
}

impl Crashes for redis::Server {
    fn address(&self) -> String {
        self.url()
    }

    fn kill(&mut self) {
        self.stop();
    }

    fn restart(&mut self) {
        Self::restart(self);
    }
}

/// Runs a test on each kind of server that there is.
async fn on_each(test: impl AsyncFn(Box<dyn Crashes>)) {
    if let Some(server) = postgres::Server::start(&[]) {
        test(Box::new(server)).await;
    }
    for server in redis::Server::each(&[]) {
        test(Box::new(server)).await;
    }
}

async fn node(url: &str) -> (FleetLog, FleetJournal) {
    let log = FleetLog::builder(url).lease(LEASE).connect().await;
    let log = log.expect("the server answers");
    let journal = log.journal().unwrap();
    (log, journal)
}

fn entry(content: &str) -> NewJournalEntry {
    NewJournalEntry::new(content.into(), NumericDate::now() + HOUR)
}

fn place(write: &JournalWrite) -> u64 {
    match write {
        JournalWrite::Written(place) => *place,
        JournalWrite::Earlier(entry) => panic!("{entry:?} is earlier"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entry_of_one_node_is_known_and_changed_at_the_other() {
    on_each(async |server| {
        let [(_one, here), (_other, there)] =
            [node(&server.address()).await, node(&server.address()).await];
        let mut new = entry("order");
        new.key = Some([7; 32]);
        let written = place(&here.write(vec![new.clone()]).await.unwrap()[0]);
        let known = there.write(vec![new]).await.unwrap();
        let expected = JournalEntry::new(written, 0, b"order".to_vec(), None);
        assert_eq!(known, [JournalWrite::Earlier(expected.clone())]);
        let change = |content: &str| vec![expected.change(content.into(), None)];
        // One of both.
        let both = [here.replace(change("one")), there.replace(change("other"))];
        let both: Vec<_> = join_all(both)
            .await
            .into_iter()
            .map(|done| done.unwrap()[0])
            .collect();
        assert!(both[0] != both[1]);
        let content = if both[0] { "one" } else { "other" };
        let changed = JournalEntry::new(written, 1, content.into(), None);
        assert_eq!(here.find([7; 32]).await.unwrap(), Some(changed.clone()));
        assert_eq!(there.newest(None, 9).await.unwrap(), [changed]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn due_entry_is_taken_by_one_of_two_nodes() {
    const ENTRIES: usize = 300;
    on_each(async |server| {
        let nodes = [node(&server.address()).await, node(&server.address()).await];
        let batch = (0..ENTRIES).map(|number| {
            let mut new = entry(&number.to_string());
            new.due = Some(NumericDate::new(number as u64));
            new
        });
        nodes[0].1.write(batch.collect()).await.unwrap();
        let takers = (0..8).map(|taker| {
            let journal = nodes[taker % 2].1.clone();
            tokio::spawn(async move {
                let mut taken = Vec::new();
                loop {
                    let some = journal.take_due(7, HOUR).await.unwrap();
                    if some.is_empty() {
                        return taken;
                    }
                    assert!(some.len() <= 7);
                    taken.extend(some.into_iter().map(|entry| entry.place));
                }
            })
        });
        let taken = join_all(takers).await;
        let taken: Vec<_> = taken.into_iter().flat_map(Result::unwrap).collect();
        let different: BTreeSet<_> = taken.iter().collect();
        assert_eq!((taken.len(), different.len()), (ENTRIES, ENTRIES));
        assert_eq!(nodes[1].1.waiting().await.unwrap(), ENTRIES as u64);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reader_misses_nothing_while_two_nodes_write() {
    const EACH: usize = 100;
    on_each(async |server| {
        let nodes = [node(&server.address()).await, node(&server.address()).await];
        let reader = node(&server.address()).await.1;
        let writers = nodes.each_ref().map(|(_, journal)| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut places = Vec::new();
                for number in 0..EACH {
                    let written = journal.write(vec![entry(&number.to_string())]).await;
                    places.push(place(&written.unwrap()[0]));
                }
                places
            })
        });
        let mut seen = BTreeSet::new();
        while seen.len() < 2 * EACH {
            // In pages, from new to old.
            let mut before = None;
            let mut found = Vec::new();
            loop {
                let page = reader.newest(before, 7).await.unwrap();
                let Some(last) = page.last() else { break };
                before = Some(last.place);
                found.extend(page.iter().map(|entry| entry.place));
            }
            assert!(found.is_sorted_by(|newer, older| newer > older));
            let found: BTreeSet<_> = found.into_iter().collect();
            let missing: Vec<_> = seen.difference(&found).collect();
            assert!(missing.is_empty(), "{missing:?}");
            // What comes later has a later place.
            let newest = seen.last().copied().unwrap_or(0);
            assert!(found.difference(&seen).all(|place| *place > newest));
            seen = found;
        }
        let written = join_all(writers).await.into_iter().flat_map(Result::unwrap);
        assert_eq!(written.collect::<BTreeSet<_>>(), seen);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_a_crash() {
    on_each(async |mut server| {
        let (log, journal) = node(&server.address()).await;
        let first = journal.write(vec![entry("first")]).await.unwrap();
        let first = journal.get(place(&first[0])).await.unwrap().unwrap();
        let write = |number: usize| {
            let journal = journal.clone();
            let mut new = entry(&number.to_string());
            let key = u8::try_from(number).unwrap();
            new.key = Some([key; 32]);
            async move { journal.write(vec![new]).await }
        };
        let change = vec![first.change(b"changed".to_vec(), None)];
        assert_eq!(journal.replace(change).await.unwrap(), [true]);
        // In the middle of it.
        let under_way = (0..200).map(|number| tokio::spawn(write(number)));
        let under_way: Vec<_> = under_way.collect();
        while journal.newest(None, 6).await.unwrap().len() < 6 {}
        server.kill();
        let answers = join_all(under_way).await;
        assert!(journal.get(first.place).await.is_err());

        server.restart();
        wait_until("writable", || log.health().is_writable()).await;
        let changed = journal.get(first.place).await.unwrap().unwrap();
        assert_eq!(
            (changed.version, &changed.content[..]),
            (1, &b"changed"[..])
        );
        let kept = journal.newest(None, 1000).await.unwrap();
        let kept: HashMap<_, _> = kept
            .iter()
            .map(|entry| (entry.place, &entry.content))
            .collect();
        let mut answered = 0;
        for (number, answer) in answers.into_iter().enumerate() {
            let again = write(number).await.unwrap();
            if let Ok(written) = answer.unwrap() {
                answered += 1;
                let place = place(&written[0]);
                assert_eq!(kept[&place], number.to_string().as_bytes());
                assert!(matches!(&again[0], JournalWrite::Earlier(known) if known.place == place));
            }
        }
        println!("{answered} of 200 writes were answered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn call_that_nobody_waits_for_is_carried_out() {
    on_each(async |server| {
        let (_log, journal) = node(&server.address()).await;
        for number in 0..20 {
            drop(journal.write(vec![entry(&number.to_string())]));
        }
        let written = async || journal.newest(None, 100).await.unwrap().len();
        while written().await < 20 {}
        assert_eq!(written().await, 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feed_has_no_journal() {
    if !has_token("journal::feed_has_no_journal") {
        return;
    }
    let Some(server) = postgres::Server::start(&[]) else {
        return;
    };
    let relay = Relay::start(&server.url("postgres"), free_port()).await;
    let log = FleetLog::builder(relay.url()).lease(LEASE).connect().await;
    let error = log.unwrap().journal().unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::Misconfigured);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("a feed has no journal"), "{cause}");
}
