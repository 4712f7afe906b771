//! The journal in tables.

use tokio::runtime::Handle;

use super::{
    super::{
        super::{
            super::{JournalEntry, JournalWrite},
            journal::KeyedEntry,
        },
        migrate,
        target::Target,
    },
    contract::journal,
    *,
};

#[tokio::test]
async fn journal_holds_the_contract() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    journal::all(&server.url("postgres")).await;
}

#[tokio::test]
async fn call_that_is_sent_again_changes_nothing_more() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    journal::resent(&open(&server).await, &open(&server).await).await;
}

#[tokio::test]
async fn tables_of_an_older_version_get_a_journal() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let url = Url::parse(&server.url("postgres")).unwrap();
    let target = Target::new(url, None, Duration::from_secs(5)).unwrap();
    let session = target.connect().await.unwrap();
    let older = &migrate::MIGRATIONS[..3];
    migrate::migrate(&session, &target.schema, older)
        .await
        .unwrap();
    drop(session);
    let log = open(&server).await;
    append(&log, [grant(1)]).await;
    let store = journal::store(&log);
    let place = journal::place(&*store, 1, journal::entry(1, journal::later())).await;
    assert!(store.get(place).await.unwrap().is_some());
}

#[tokio::test]
async fn expired_entries_make_room_and_are_swept() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let count = "select count(*) from tower_revocation.journal";
    let stored = || server.sql("postgres", count).parse().unwrap();
    journal::expiry(&open(&server).await, stored).await;
}

#[tokio::test]
async fn place_of_a_removed_entry_is_not_used_again() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let ahead = |from, to| {
        let sql = format!(
            "update tower_revocation.journal set place = {to}, expires = 1 where place = {from}"
        );
        server.sql("postgres", &sql);
    };
    journal::places(&open(&server).await, ahead).await;
}

#[tokio::test]
async fn long_entries_come_in_several_answers() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    journal::long_entries(&open(&server).await).await;
}

/// Commits wait for a standby of this name.
fn wait_for(server: &Server, standby: &str) {
    let set = format!("alter system set synchronous_standby_names = '{standby}'");
    server.sql("postgres", &set);
    server.sql("postgres", "select pg_reload_conf()");
}

const WAITING: &str = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_whose_answer_is_lost_is_not_written_twice() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    // Only a connection that was there can break.
    let first = journal::entry(0, journal::later());
    journal::place(&*journal::store(&log), 0, first).await;
    wait_for(&server, "absent");
    // The server reads its settings after a while.
    let mut number = 0_u8;
    let writing = loop {
        let store = journal::store(&log);
        number += 1;
        let entry = journal::entry(number, journal::later());
        let mark = number.into();
        let writing = tokio::spawn(async move { journal::place(&*store, mark, entry).await });
        let waits = || server.sql("postgres", WAITING) == "1";
        fixture::until("its commit waits", || writing.is_finished() || waits());
        if !writing.is_finished() {
            break writing;
        }
    };
    // It is written, and its answer is lost.
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
    server.sql("postgres", end);
    fixture::until("it is sent again", || {
        server.sql("postgres", WAITING) == "1"
    });
    wait_for(&server, "");
    let place = writing.await.unwrap();
    let written = "select count(*) || ' ' || max(place) from tower_revocation.journal";
    assert_eq!(
        server.sql("postgres", written),
        format!("{} {place}", number + 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_without_the_standby() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let hasty = Options {
        timeout: Duration::from_secs(1),
        ..options()
    };
    let log = open_at(&server.url("postgres"), hasty).await.unwrap();
    let store = journal::store(&log);
    let place = journal::place(&*store, 1, journal::entry(1, journal::later())).await;
    wait_for(&server, "absent");
    // Until the server has read its settings.
    while store.get(place).await.is_ok() {}
    // Also what is there already, and what changes nothing.
    let known = [journal::entry(1, journal::later())];
    assert!(store.write(2, &known).await.is_err());
    let stale = JournalEntry::new(place, 9, vec![], None).change(vec![], None);
    assert!(store.replace(3, &[stale]).await.is_err());
    assert!(store.find([1; 32]).await.is_err());
    assert!(store.newest(u64::MAX, 9).await.is_err());
    assert!(store.waiting().await.is_err());
    wait_for(&server, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn later_place_is_committed_later() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let store = journal::store(&log);
    // Its commit takes a while.
    let key = "ab".repeat(32);
    let first = format!(
        "select places from tower_revocation.journal_write(7, array['\\x{key}'::bytea], \
         array['x'::bytea], array[{}], array[null::bigint]); select pg_sleep(2)",
        journal::later().seconds(),
    );
    std::thread::scope(|scope| {
        let first = scope.spawn(|| server.sql("postgres", &first));
        fixture::until("it was written", || {
            let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
            server.sql("postgres", sleeping) == "1"
        });
        let second = async {
            let place = journal::place(&*store, 8, journal::entry(1, journal::later())).await;
            (place, store.newest(u64::MAX, 9).await.unwrap().entries)
        };
        let (place, newest) = tokio::task::block_in_place(|| Handle::current().block_on(second));
        // Whoever sees the second one sees the first one.
        let places: Vec<_> = newest.iter().map(|entry| entry.place).collect();
        assert_eq!((places.len(), places[0]), (2, place));
        assert!(
            first
                .join()
                .unwrap()
                .starts_with(&format!("{{{}}}", places[1]))
        );
    });
}

#[tokio::test]
async fn thousand_entries_are_one_transaction() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = journal::store(&open(&server).await);
    let entries = (0..1000_u16).map(|number| KeyedEntry {
        key: [number.to_be_bytes(); 16].concat(),
        content: vec![b'x'; 500],
        ..journal::entry(0, journal::later())
    });
    let entries: Vec<_> = entries.collect();
    journal::write(&*store, 1, &entries[..1]).await;
    let begun = std::time::Instant::now();
    let written = journal::write(&*store, 2, &entries).await;
    println!("written in {:?}", begun.elapsed());
    let is_new = |write: &&JournalWrite| matches!(write, JournalWrite::Written(_));
    assert_eq!(written.iter().filter(is_new).count(), 999);
    let transactions = "select count(distinct xmin::text) from tower_revocation.journal";
    assert_eq!(server.sql("postgres", transactions), "2");
}
