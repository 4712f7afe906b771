//! What may be used only once: who wins, what expires, and what is forgotten.

use super::{
    super::super::once::{OnceResult, OnceUse},
    *,
};

fn soon() -> u64 {
    NumericDate::now().seconds() + 60
}

fn identifier(number: u8, expires: u64) -> OnceUse {
    OnceUse {
        digest: [number; 32],
        client: [number % 2; 16],
        expires,
        quota: 3,
    }
}

async fn use_up(log: &Postgres, once: OnceUse) -> OnceResult {
    let store = log.once_store().unwrap();
    let used = store.use_up(once).await;
    used.unwrap_or_else(|error| panic!("{}", line(&error)))
}

#[tokio::test]
async fn identifier_counts_until_it_expires_and_within_a_quota() {
    use OnceResult::{Fresh, FullQuota, Used};
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let [one, two] = [open(&server).await, open(&server).await];
    let soon = soon();
    assert_eq!(use_up(&one, identifier(1, soon)).await, Fresh);
    assert_eq!(use_up(&one, identifier(1, soon)).await, Used);
    assert_eq!(use_up(&two, identifier(1, soon + 9)).await, Used);
    // In one transaction, too: the first decides.
    let at_once = [3, 3, 5, 7, 9, 2].map(|number| use_up(&two, identifier(number, soon)));
    let at_once = futures::future::join_all(at_once).await;
    assert_eq!(at_once, [Fresh, Used, Fresh, FullQuota, FullQuota, Fresh]);
    // A use is recognised even if the quota is used up.
    assert_eq!(use_up(&two, identifier(1, soon)).await, Used);
    assert_eq!(use_up(&two, identifier(4, 1)).await, Used, "expired");

    // As after a minute. An expired entry does not count, and its identifier is free.
    let expire = "update tower_revocation.replay set expires = 1";
    server.sql("postgres", expire);
    assert_eq!(use_up(&one, identifier(7, soon)).await, Fresh);
    assert_eq!(use_up(&one, identifier(1, soon)).await, Fresh);
    assert_eq!(use_up(&two, identifier(1, soon)).await, Used);
}

#[tokio::test]
async fn swept_identifiers_are_not_used_again_if_the_clock_goes_back() {
    use OnceResult::{Forgotten, Fresh, Used};
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let soon = soon();
    assert_eq!(use_up(&log, identifier(1, soon)).await, Fresh);
    assert_eq!(use_up(&log, identifier(2, soon)).await, Fresh);
    let expire = "update tower_revocation.replay set expires = 7 where get_byte(once, 0) = 1";
    server.sql("postgres", expire);
    log.sweep().await.unwrap();
    let left = "select count(*), max(forgotten) \
                from tower_revocation.replay, tower_revocation.replay_meta";
    assert_eq!(server.sql("postgres", left), "1|7");
    assert_eq!(use_up(&log, identifier(2, soon)).await, Used);

    // As if the clock had been ahead during the sweep.
    let ahead = format!("update tower_revocation.replay_meta set forgotten = {soon}");
    server.sql("postgres", &ahead);
    assert_eq!(use_up(&log, identifier(1, soon)).await, Forgotten);
    assert_eq!(use_up(&log, identifier(1, soon + 1)).await, Fresh);
}

/// As a node asks for one identifier, of one client.
fn call(mark: u8) -> String {
    let [once, client] = ["ab".repeat(32), "cd".repeat(16)];
    let expires = soon();
    format!(
        "select results from tower_revocation.use_up(array['\\x{once}'::bytea], \
         array['\\x{client}'::bytea], array[{expires}::bigint], array[{mark}::bigint], 1)",
    )
}

#[tokio::test]
async fn use_that_is_sent_again_counts_and_another_one_does_not() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    drop(open(&server).await);
    let send = |mark| server.sql("postgres", &call(mark));
    assert_eq!(send(7), "{0}");
    assert_eq!(send(7), "{0}", "its answer was lost");
    assert_eq!(send(8), "{1}");
}

#[tokio::test(flavor = "multi_thread")]
async fn use_that_is_being_committed_counts_and_another_one_does_not() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    drop(open(&server).await);
    // Its commit takes a while.
    let first = format!("{}; select pg_sleep(2)", call(7));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| server.sql("postgres", &first));
        fixture::until("it was used", || {
            let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
            server.sql("postgres", sleeping) == "1"
        });
        assert_eq!(server.sql("postgres", &call(8)), "{1}");
        assert!(first.join().expect("no panic").starts_with("{0}"));
    });
}
