//! What an authorization server stores beside the log.

use std::thread;

use super::{
    super::issued::{Issued, IssuedServer, IssuedTables, NewRow, OldToken},
    fixture::until,
    *,
};
use crate::log::{LogError, LogErrorKind};

const HOUR: Duration = Duration::from_secs(3600);

async fn tables(log: &Postgres) -> IssuedTables {
    IssuedServer(log.target.clone()).connect().await.unwrap()
}

fn row(digest: u8) -> NewRow {
    NewRow {
        digest: [digest; 32],
        content: vec![digest],
        lifetime: HOUR,
    }
}

fn token(digest: u8) -> OldToken {
    OldToken {
        digest: [digest; 32],
        selector: Selector::opaque_token([digest; 32]),
    }
}

fn alice() -> Selector {
    Selector::subject("alice")
}

fn seconds(issued: &Issued) -> Option<u64> {
    match issued {
        Issued::At(iat) => Some(iat.seconds()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("decode('{}', 'hex')", bytes.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_issued_past_a_revocation_that_is_being_committed() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let tables = tables(&log).await;
    let first = tables.issue(None, [alice()].into_iter(), &[row(1)]).await;
    let iat = seconds(&first.unwrap()).unwrap();
    // "Everything of alice until now", whose commit takes a while.
    let append = format!(
        "select (a).at from tower_revocation.append(1, 9, false, array[9], array[1], array[{}], \
         array[{iat}], array[9223372036854775807], true, true) a; select pg_sleep(3)",
        hex(&alice().to_bytes()),
    );
    let (rotated, revoked) = thread::scope(|scope| {
        let revoking = scope.spawn(|| server.sql("postgres", &append));
        until("it has its stamp", || {
            let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
            server.sql("postgres", sleeping) == "1"
        });
        let stamped = NumericDate::now();
        until("another second", || NumericDate::now() > stamped);
        let new = [row(2)];
        let rotate = tables.issue(Some(token(1)), [alice()].into_iter(), &new);
        let rotated = futures::executor::block_on(rotate);
        (rotated, revoking.join().expect("no panic"))
    });
    assert!(matches!(rotated, Ok(Issued::Revoked)), "{revoked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_do_not_wait_for_tokens() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let tables = tables(&log).await;
    let first = tables.issue(None, [alice()].into_iter(), &[row(1)]).await;
    first.unwrap();
    let issue = format!(
        "select a.outcome from tower_revocation.issue(1, null, null, array[{}], array[{}], \
         array[{}], array[9]) a; select pg_sleep(4)",
        hex(&alice().to_bytes()),
        hex(&[9; 32]),
        hex(b"content"),
    );
    thread::scope(|scope| {
        let issuing = scope.spawn(|| server.sql("postgres", &issue));
        let sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
        let is_about_to_commit = || server.sql("postgres", sleeping) == "1";
        until("it is about to commit", is_about_to_commit);
        let append = append(&log, [grant(1)]);
        assert_eq!(sequence(&futures::executor::block_on(append)), 1);
        assert!(is_about_to_commit());
        issuing.join().expect("no panic");
    });
}

#[tokio::test]
async fn call_that_is_sent_again_has_the_same_result() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let tables = tables(&log).await;
    let first = tables.issue(None, [alice()].into_iter(), &[row(1)]).await;
    let iat = seconds(&first.unwrap()).unwrap();
    let call = |mark: u64, old: Option<u8>, new: u8| {
        let old = old.map(|old| (hex(&[old; 32]), hex(&token(old).selector.to_bytes())));
        let null = || "null".to_owned();
        let (old, selector) = old.unwrap_or_else(|| (null(), null()));
        server.sql(
            "postgres",
            &format!(
                "select a.outcome, a.iat from tower_revocation.issue({mark}, {old}, {selector}, \
                 array[{}], array[{}], array[{}], array[9]) a",
                hex(&alice().to_bytes()),
                hex(&[new; 32]),
                hex(b"content"),
            ),
        )
    };
    let rotated = call(7, Some(1), 2);
    assert!(rotated.starts_with("0|"), "{rotated}");
    let later = NumericDate::now();
    until("another second", || NumericDate::now() > later);
    assert_eq!(call(7, Some(1), 2), rotated);
    assert_eq!(call(8, Some(1), 3), "2|");
    let issued = call(9, None, 4);
    let later = NumericDate::now();
    until("another second", || NumericDate::now() > later);
    assert_eq!(call(9, None, 4), issued);
    let found = tables.find(&[2; 32]).await.unwrap().unwrap();
    assert!(found.iat.seconds() >= iat && !found.used);
    assert!(tables.find(&[1; 32]).await.unwrap().unwrap().used);
    assert!(tables.find(&[3; 32]).await.unwrap().is_none());
}

#[tokio::test]
async fn server_that_cannot_commit_does_not_say_that_a_token_is_unknown() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let url = server.url("postgres");
    let hasty = Options {
        timeout: Duration::from_millis(700),
        ..options()
    };
    let log = open_at(&url, hasty).await.unwrap();
    let tables = tables(&log).await;
    tables
        .issue(None, [alice()].into_iter(), &[row(1)])
        .await
        .unwrap();
    server.sql(
        "postgres",
        "alter system set synchronous_standby_names = 'gone'",
    );
    server.sql("postgres", "select pg_reload_conf()");
    until("it waits for its standby", || {
        server.sql("postgres", "show synchronous_standby_names") == "gone"
    });
    assert!(tables.find(&[1; 32]).await.unwrap().is_some());
    let unavailable = |error: LogError| error.kind() == LogErrorKind::Unavailable;
    assert!(tables.find(&[2; 32]).await.is_err_and(unavailable));
    let iat = tables.issue(None, [alice()].into_iter(), &[]).await;
    assert!(iat.is_err_and(unavailable));
}

#[tokio::test]
async fn clock_that_went_back_is_an_error() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    let tables = tables(&log).await;
    tables
        .issue(None, [alice()].into_iter(), &[row(1)])
        .await
        .unwrap();
    let went_back = |error: LogError| error.kind() == LogErrorKind::ClockWentBack;
    let ahead = "extract(epoch from now())::bigint + 60";
    let forgotten = |table: &str, seconds: &str| {
        let set = format!("update tower_revocation.{table} set forgotten = {seconds}");
        server.sql("postgres", &set);
    };
    // A record was removed that ends in a minute: it may have been about this grant, but not about
    // a token that lives longer.
    forgotten("meta", ahead);
    let issued = tables.issue(None, [alice()].into_iter(), &[row(2)]).await;
    assert!(issued.is_err_and(went_back));
    let rotated = tables
        .issue(Some(token(1)), [alice()].into_iter(), &[row(3)])
        .await;
    assert!(matches!(rotated, Ok(Issued::At(_))));
    forgotten("meta", "extract(epoch from now())::bigint + 7200");
    let rotated = tables
        .issue(Some(token(3)), [alice()].into_iter(), &[row(4)])
        .await;
    assert!(rotated.is_err_and(went_back));
    // A token was removed that expires in a minute.
    forgotten("issued_meta", ahead);
    assert!(tables.find(&[9; 32]).await.is_err_and(went_back));
    assert!(tables.find(&[1; 32]).await.unwrap().is_some());
}

#[tokio::test]
async fn role_that_lacks_a_right_is_told_so() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    open(&server).await;
    server.sql(
        "postgres",
        "create role clerk login; grant usage on schema tower_revocation to clerk; \
         grant select, insert, update, delete on all tables in schema tower_revocation to clerk; \
         revoke delete on tower_revocation.issued from clerk",
    );
    let url = format!("postgres://clerk@127.0.0.1:{}/postgres", server.port());
    let log = open_at(&url, options()).await.unwrap();
    let error = tables(&log).await.is_right_key(&[1; 32]).await.unwrap_err();
    assert!(
        line(&error).contains("clerk lacks rights: GRANT"),
        "{}",
        line(&error)
    );
}
