//! What may be used only once.

use super::{
    super::super::once::OnceResult,
    contract::{identifier, soon, use_up},
    *,
};

/// As if an entry had expired.
fn expire(server: &Server, number: u8, expires: u64) {
    let client = char::from(b'a' + number % 2).to_string().repeat(16);
    let digest = format!("\\x{number:02x}").repeat(32);
    let set = format!("ZADD {{tr}}:use-ends XX CH {expires} \"{client}{digest}\"");
    assert_eq!(server.say(&set), "1");
}

#[tokio::test]
async fn identifier_counts_until_it_expires_and_within_a_quota() {
    for server in Server::each(&[]) {
        let logs = [open(&server).await, open(&server).await];
        let some = || {
            for number in [1, 3, 5] {
                expire(&server, number, 1);
            }
        };
        contract::once(&logs[0], &logs[1], some).await;
        assert_eq!(server.say("HLEN {tr}:uses"), "3");
    }
}

#[tokio::test]
async fn swept_identifiers_are_not_used_again_if_the_clock_goes_back() {
    for server in Server::each(&[]) {
        let ahead = |to| {
            assert_eq!(server.say("HLEN {tr}:uses"), "1");
            assert_eq!(server.say("HGET {tr}:use-counts forgotten"), "7");
            server.say(&format!("HSET {{tr}}:use-counts forgotten {to}"));
        };
        let one = || expire(&server, 1, 7);
        contract::swept_uses(&open(&server).await, one, ahead).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn use_that_is_sent_again_counts_and_another_one_does_not() {
    for server in Server::each(&[]) {
        let replica = server.replica();
        let log = open_at(&format!("{}?replicas=1", server.url()), options()).await;
        let soon = soon();
        assert_eq!(use_up(&log, identifier(1, soon)).await, OnceResult::Fresh);
        replica.signal("STOP");
        let store = log.once_store().unwrap();
        let waiting = tokio::spawn(store.use_up(identifier(2, soon)));
        fixture::until("it is written", || server.say("HLEN {tr}:uses") == "2");
        // Its answer is lost.
        server.say("CLIENT KILL TYPE normal");
        replica.signal("CONT");
        assert_eq!(waiting.await.unwrap().unwrap(), OnceResult::Fresh);
        assert_eq!(use_up(&log, identifier(2, soon)).await, OnceResult::Used);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn use_waits_for_the_replica() {
    for server in Server::each(&[]) {
        let replica = server.replica();
        let log = open_at(&format!("{}?replicas=1", server.url()), hasty()).await;
        let soon = soon();
        assert_eq!(use_up(&log, identifier(1, soon)).await, OnceResult::Fresh);
        replica.signal("STOP");
        let store = log.once_store().unwrap();
        let error = store.use_up(identifier(2, soon)).await.unwrap_err();
        assert!(line(&error).contains("0 of 1 replicas"), "{}", line(&error));
        replica.signal("CONT");
        recovered(&log).await;
        // It may be used up, so it is.
        assert_eq!(use_up(&log, identifier(2, soon)).await, OnceResult::Used);
    }
}
