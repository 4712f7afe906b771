//! The journal in keys.

use super::{
    super::super::{super::JournalEntry, journal::KeyedEntry},
    contract::journal,
    *,
};

#[tokio::test]
async fn journal_holds_the_contract() {
    for server in Server::each(&[]) {
        journal::all(&server.url()).await;
    }
}

#[tokio::test]
async fn call_that_is_sent_again_changes_nothing_more() {
    for server in Server::each(&[]) {
        journal::resent(&open(&server).await, &open(&server).await).await;
    }
}

#[tokio::test]
async fn expired_entries_make_room_and_are_swept() {
    for server in Server::each(&[]) {
        let stored = || {
            let counts = [
                "HLEN {tr}:entries",
                "ZCARD {tr}:places",
                "HLEN {tr}:entry-keys",
            ];
            let counts = counts.map(|count| server.say(count).parse().unwrap());
            assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
            counts[0]
        };
        journal::expiry(&open(&server).await, stored).await;
    }
}

#[tokio::test]
async fn place_of_a_removed_entry_is_not_used_again() {
    for server in Server::each(&[]) {
        let ahead = |from, to| {
            server.say(&format!("ZADD {{tr}}:places {to} {to}"));
            server.say(&format!("ZADD {{tr}}:entry-ends 1 {to} 1 {from}"));
        };
        journal::places(&open(&server).await, ahead).await;
    }
}

#[tokio::test]
async fn long_entries_come_in_several_answers() {
    for server in Server::each(&[]) {
        journal::long_entries(&open(&server).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_whose_answer_is_lost_is_not_written_twice() {
    for server in Server::each(&[]) {
        let replica = server.replica();
        let log = open_at(&format!("{}?replicas=1", server.url()), options()).await;
        let store = journal::store(&log);
        journal::place(&*store, 1, journal::entry(1, journal::later())).await;
        replica.signal("STOP");
        let entry = journal::entry(2, journal::later());
        let writing = tokio::spawn(async move { journal::place(&*store, 2, entry).await });
        fixture::until("it is written", || server.say("HLEN {tr}:entries") == "2");
        server.say("CLIENT KILL TYPE normal");
        replica.signal("CONT");
        let place = writing.await.unwrap().to_string();
        assert_eq!(server.say("ZRANGE {tr}:places -1 -1"), place);
        assert_eq!(server.say("ZCARD {tr}:places"), "2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_without_the_replica() {
    for server in Server::each(&[]) {
        let replica = server.replica();
        let log = open_at(&format!("{}?replicas=1", server.url()), hasty()).await;
        let store = journal::store(&log);
        let place = journal::place(&*store, 1, journal::entry(1, journal::later())).await;
        replica.signal("STOP");
        // Also what is there already, and what changes nothing.
        let known = [journal::entry(1, journal::later())];
        let error = store.write(2, &known).await.unwrap_err();
        assert!(line(&error).contains("0 of 1 replicas"), "{}", line(&error));
        let stale = JournalEntry::new(place, 9, vec![], None).change(vec![], None);
        assert!(store.replace(3, &[stale]).await.is_err());
        assert!(store.get(place).await.is_err());
        assert!(store.find([1; 32]).await.is_err());
        assert!(store.newest(u64::MAX, 9).await.is_err());
        assert!(store.waiting().await.is_err());
        replica.signal("CONT");
    }
}

#[tokio::test]
async fn thousand_entries_are_a_few_commands() {
    for server in Server::each(&[]) {
        let store = journal::store(&open(&server).await);
        let entries = (0..1000_u16).map(|number| KeyedEntry {
            key: [number.to_be_bytes(); 16].concat(),
            content: vec![b'x'; 500],
            ..journal::entry(0, journal::later())
        });
        let entries: Vec<_> = entries.collect();
        journal::write(&*store, 1, &entries[..1]).await;
        server.say("CONFIG RESETSTAT");
        let begun = std::time::Instant::now();
        let written = journal::write(&*store, 2, &entries).await;
        println!("written in {:?}", begun.elapsed());
        assert_eq!(written.len(), 1000);
        // The server does nothing else meanwhile.
        let calls = server.say("INFO commandstats");
        let calls = calls.lines().filter_map(|line| {
            let (_, calls) = line.split_once("calls=")?;
            println!("{line}");
            calls.split(',').next()?.parse::<u32>().ok()
        });
        let calls: u32 = calls.sum();
        assert!(calls < 40, "{calls}");
        assert_eq!(server.say("HLEN {tr}:entries"), "1000");
    }
}
