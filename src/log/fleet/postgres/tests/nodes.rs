//! Many writers, many readers, and sessions of others.

use futures::future::join_all;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_leave_no_gap_and_every_reader_sees_one_order() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let logs = join_all((0..4).map(|_| open(&server))).await;
    contract::writers(logs, 16, 8).await;
    let counts = "select count(*), max(sequence), min(sequence) from tower_revocation.log";
    assert_eq!(server.sql("postgres", counts), "512|512|1");
}

#[tokio::test]
async fn hint_comes_from_another_node_and_after_a_lost_connection() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let [one, two] = [open(&server).await, open(&server).await];
    let hinted = async || {
        let hint = tokio::time::timeout(Duration::from_secs(20), two.hint()).await;
        hint.expect("a hint");
    };
    // The first tells that the node listens now.
    hinted().await;
    append(&one, [grant(1)]).await;
    hinted().await;
    server.sql("postgres", "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' or query like 'set synchronous_commit = off%'");
    hinted().await;
    append(&one, [grant(2)]).await;
    hinted().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_ends_each_connection_is_not_asked_without_pauses() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    tokio::time::timeout(Duration::from_secs(20), log.hint())
        .await
        .expect("it listens");
    // For three seconds, each connection for hints ends at once.
    let function = "create function kills() returns bigint language plpgsql as $$ begin
        create temp table killed (pid int primary key);
        for step in 1..150 loop
            insert into killed select pid from pg_stat_activity
                where query like '%; listen %' and pid <> pg_backend_pid()
                and pg_terminate_backend(pid) on conflict do nothing;
            perform pg_stat_clear_snapshot(), pg_sleep(0.02);
        end loop;
        return (select count(*) from killed);
    end $$";
    server.sql("postgres", function);
    let kills = tokio::task::block_in_place(|| server.sql("postgres", "select kills()"));
    // Without growing pauses there are forty.
    let kills: u32 = kills.parse().unwrap();
    assert!((1..20).contains(&kills), "{kills}");
}

#[tokio::test]
async fn old_snapshot_of_another_session_hides_nothing() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = open(&server).await;
    append(&log, [grant(0)]).await;
    let (other, connection) =
        tokio_postgres::connect(&server.url("postgres"), tokio_postgres::NoTls)
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let hold = "begin isolation level repeatable read; select * from tower_revocation.log; \
                select pg_current_xact_id()";
    other.batch_execute(hold).await.unwrap();
    let mut cursor = Cursor::default();
    for number in 1..200 {
        let committed = append(&log, [grant(number)]).await;
        let page = poll(&log, cursor).await;
        assert_eq!(
            (page.upto.sequence, page.history),
            (sequence(&committed), History::Same)
        );
        assert_eq!(page.records.last(), Some(&grant(number)));
        cursor = page.upto;
    }
    let seen = other
        .query("select * from tower_revocation.log", &[])
        .await
        .unwrap();
    assert_eq!(seen.len(), 1);
    connection.abort();
}

#[tokio::test]
async fn settings_of_the_role_do_not_change_the_order() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    drop(open(&server).await);
    server.sql(
        "postgres",
        "alter role admin set default_transaction_isolation = 'serializable'; \
        alter role admin set synchronous_commit = off; alter role admin set search_path = ''",
    );
    let logs = join_all((0..4).map(|_| open(&server))).await;
    let writers = logs.iter().enumerate().map(async |(node, log)| {
        for number in 0..20 {
            append(log, [grant(format!("{node} {number}"))]).await;
        }
    });
    join_all(writers).await;
    assert_eq!(poll(&logs[0], Cursor::default()).await.upto.sequence, 80);
}
