//! What may be used only once: who wins, what expires, and what is forgotten.

use super::{contract::soon, *};

#[tokio::test]
async fn identifier_counts_until_it_expires_and_within_a_quota() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let expire = || {
        let all = "update tower_revocation.replay set expires = 1";
        server.sql("postgres", all);
    };
    contract::once(&open(&server).await, &open(&server).await, expire).await;
}

#[tokio::test]
async fn swept_identifiers_are_not_used_again_if_the_clock_goes_back() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let expire = || {
        let one = "update tower_revocation.replay set expires = 7 where get_byte(once, 0) = 1";
        server.sql("postgres", one);
    };
    let ahead = |to| {
        let left = "select count(*), max(forgotten) \
                    from tower_revocation.replay, tower_revocation.replay_meta";
        assert_eq!(server.sql("postgres", left), "1|7");
        let ahead = format!("update tower_revocation.replay_meta set forgotten = {to}");
        server.sql("postgres", &ahead);
    };
    contract::swept_uses(&open(&server).await, expire, ahead).await;
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
