//! Connections that are made again, within short and long time limits.

use std::time::Instant;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use super::*;

/// A port that carries each connection to the server, but only after a while.
async fn slow_way_to(server: &Server, pause: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), server.port());
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                let mut there = TcpStream::connect(("127.0.0.1", to)).await?;
                copy_bidirectional(&mut here, &mut there).await
            });
        }
    });
    port
}

#[tokio::test]
async fn connection_that_takes_longer_than_a_poll_comes_back() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let port = slow_way_to(&server, Duration::from_secs(1)).await;
    let options = Options {
        timeout: Duration::from_millis(400),
        ..options()
    };
    let url = format!("postgres://admin@127.0.0.1:{port}/postgres");
    let log = Postgres::open(&url, options).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    server.sql(
        "postgres",
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where application_name = 'tower-revocation'",
    );
    let lost = Instant::now();
    while log.poll(ask(Cursor::default())).await.is_err() {
        assert!(lost.elapsed() < Duration::from_secs(20), "it stays away");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn dead_first_host_costs_little_even_with_a_long_time_limit() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    // It accepts connections, and never says a word.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let [silent, port] = [dead.local_addr().unwrap().port(), server.port()];
    let options = Options {
        timeout: Duration::from_secs(300),
        ..options()
    };
    let both = format!("postgres://admin@127.0.0.1:{silent},127.0.0.1:{port}/postgres");
    let opened = tokio::time::timeout(Duration::from_secs(8), Postgres::open(&both, options));
    let log = opened.await.expect("it does not wait for the dead host");
    log.unwrap_or_else(|error| panic!("{}", line(&error)));
}

#[tokio::test]
async fn appends_leave_a_server_that_polls_have_left() {
    let Some(one) = Server::start(&[]) else {
        return;
    };
    let Some(two) = Server::start(&[]) else {
        return;
    };
    drop(open(&two).await);
    let [first, second] = [one.port(), two.port()];
    let both = format!("postgres://admin@127.0.0.1:{first},127.0.0.1:{second}/postgres");
    let log = Postgres::open(&both, options()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    let before = append(&log, [grant(1)]).await.incarnation;
    // As after a poll that was given up.
    log.target.leave(0);
    assert_ne!(poll(&log, Cursor::default()).await.incarnation, before);
    assert_ne!(append(&log, [grant(2)]).await.incarnation, before);
    let count = "select count(*) from tower_revocation.log";
    assert_eq!(one.sql("postgres", count), "1");
    assert_eq!(two.sql("postgres", count), "1");
}
