//! What may be used only once.

use super::{
    super::super::{
        super::NumericDate,
        once::{OnceResult, OnceUse},
    },
    *,
};

fn soon() -> u64 {
    NumericDate::now().seconds() + 60
}

fn identifier(number: u8, expires: u64) -> OnceUse {
    OnceUse {
        digest: [number; 32],
        client: [b'a' + number % 2; 16],
        expires,
        quota: 3,
    }
}

async fn use_up(log: &Redis, once: OnceUse) -> OnceResult {
    let store = log.once_store().unwrap();
    let used = store.use_up(once).await;
    used.unwrap_or_else(|error| panic!("{}", line(&error)))
}

/// As if an entry had expired.
fn expire(server: &Server, number: u8, expires: u64) {
    let client = char::from(b'a' + number % 2).to_string().repeat(16);
    let digest = format!("\\x{number:02x}").repeat(32);
    let set = format!("ZADD {{tr}}:use-ends XX CH {expires} \"{client}{digest}\"");
    assert_eq!(server.say(&set), "1");
}

#[tokio::test]
async fn identifier_counts_until_it_expires_and_within_a_quota() {
    use OnceResult::{Fresh, FullQuota, Used};
    for server in Server::each(&[]) {
        let [one, two] = [open(&server).await, open(&server).await];
        let soon = soon();
        assert_eq!(use_up(&one, identifier(1, soon)).await, Fresh);
        assert_eq!(use_up(&one, identifier(1, soon)).await, Used);
        assert_eq!(use_up(&two, identifier(1, soon + 9)).await, Used);
        // Together, too: the first decides.
        let at_once = [3, 3, 5, 7, 9, 2].map(|number| use_up(&two, identifier(number, soon)));
        let at_once = futures::future::join_all(at_once).await;
        assert_eq!(at_once, [Fresh, Used, Fresh, FullQuota, FullQuota, Fresh]);
        // A use is recognised even if the quota is used up.
        assert_eq!(use_up(&two, identifier(1, soon)).await, Used);
        assert_eq!(use_up(&two, identifier(4, 1)).await, Used, "expired");

        // As after a minute. An expired entry does not count, and its identifier is free.
        for number in [1, 3, 5] {
            expire(&server, number, 1);
        }
        assert_eq!(use_up(&one, identifier(7, soon)).await, Fresh);
        assert_eq!(use_up(&one, identifier(1, soon)).await, Fresh);
        assert_eq!(use_up(&two, identifier(1, soon)).await, Used);
        assert_eq!(server.say("HLEN {tr}:uses"), "3");
    }
}

#[tokio::test]
async fn swept_identifiers_are_not_used_again_if_the_clock_goes_back() {
    use OnceResult::{Forgotten, Fresh, Used};
    for server in Server::each(&[]) {
        let log = open(&server).await;
        let soon = soon();
        assert_eq!(use_up(&log, identifier(1, soon)).await, Fresh);
        assert_eq!(use_up(&log, identifier(2, soon)).await, Fresh);
        expire(&server, 1, 7);
        assert_eq!(log.sweep().await.unwrap(), 0);
        assert_eq!(server.say("HLEN {tr}:uses"), "1");
        assert_eq!(server.say("HGET {tr}:use-counts forgotten"), "7");
        assert_eq!(use_up(&log, identifier(2, soon)).await, Used);

        // As if the clock had been ahead during the sweep.
        server.say(&format!("HSET {{tr}}:use-counts forgotten {soon}"));
        assert_eq!(use_up(&log, identifier(1, soon)).await, Forgotten);
        assert_eq!(use_up(&log, identifier(1, soon + 1)).await, Fresh);
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
