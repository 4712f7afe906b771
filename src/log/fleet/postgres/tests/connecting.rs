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
    let log = open_at(&url, options).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    server.sql(
        "postgres",
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where application_name = 'tower-revocation'",
    );
    let lost = Instant::now();
    let mut pause = Duration::ZERO;
    while let Err(error) = log.poll(ask(Cursor::default())).await {
        assert!(lost.elapsed() < Duration::from_secs(60), "{}", line(&error));
        // As a node does: else the same part of each call would be left for the new connection.
        pause += Duration::from_millis(70);
        tokio::time::sleep(pause).await;
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
    let opened = tokio::time::timeout(Duration::from_secs(8), open_at(&both, options));
    let log = opened.await.expect("it does not wait for the dead host");
    log.unwrap_or_else(|error| panic!("{}", line(&error)));
}

/// Two servers with a log each, as after a promotion: the old one still answers.
async fn two() -> Option<([Server; 2], Postgres)> {
    let servers = [Server::start(&[])?, Server::start(&[])?];
    drop(open(&servers[1]).await);
    let [first, second] = [&servers[0], &servers[1]].map(Server::port);
    let both = format!("postgres://admin@127.0.0.1:{first},127.0.0.1:{second}/postgres");
    let log = open_at(&both, options()).await;
    Some((
        servers,
        log.unwrap_or_else(|error| panic!("{}", line(&error))),
    ))
}

#[tokio::test]
async fn appends_leave_a_server_that_polls_have_left() {
    let Some(([one, two], log)) = two().await else {
        return;
    };
    let before = append(&log, [grant(1)]).await.incarnation;
    poll(&log, Cursor::default()).await;
    // As after a poll that was given up.
    log.target.leave(0);
    one.sql(
        "postgres",
        "select pg_terminate_backend(pid) from pg_stat_activity where query like '%.poll(%' \
         and pid <> pg_backend_pid()",
    );
    assert_ne!(poll(&log, Cursor::default()).await.incarnation, before);
    assert_ne!(append(&log, [grant(2)]).await.incarnation, before);
    let count = "select count(*) from tower_revocation.log";
    assert_eq!(one.sql("postgres", count), "1");
    assert_eq!(two.sql("postgres", count), "1");
}

#[tokio::test]
async fn server_whose_answer_does_not_count_is_left() {
    let Some((_servers, log)) = two().await else {
        return;
    };
    let before = append(&log, [grant(1)]).await.incarnation;
    assert_eq!(poll(&log, Cursor::default()).await.incarnation, before);
    log.reconnect();
    let after = append(&log, [grant(2)]).await.incarnation;
    assert_ne!(after, before);
    assert_eq!(poll(&log, Cursor::default()).await.incarnation, after);
}

#[tokio::test]
async fn call_that_was_given_up_ends_no_connection_of_others() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let both = format!(
        "postgres://admin@127.0.0.1:{port},127.0.0.1:1/postgres",
        port = server.port()
    );
    let log = open_at(&both, options()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    let process = "select pid from pg_stat_activity where query like '%.poll(%' \
                   and pid <> pg_backend_pid()";
    poll(&log, Cursor::default()).await;
    let before = server.sql("postgres", process);
    let mut given_up = Box::pin(append(&log, [grant(1)]));
    assert!(futures::poll!(&mut given_up).is_pending());
    tokio::task::yield_now().await;
    drop(given_up);
    append(&log, [grant(2)]).await;
    poll(&log, Cursor::default()).await;
    assert_eq!(server.sql("postgres", process), before);
}

#[tokio::test]
async fn password_that_was_changed_is_read_again() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let set = |password: &str| {
        server.sql(
            "postgres",
            &format!("alter role secret superuser login password '{password}'"),
        );
    };
    server.sql("postgres", "create role secret");
    set("first");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    let write = |password: &str| {
        std::fs::write(&file, format!("*:*:*:*:{password}")).unwrap();
        let owner = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, owner).unwrap();
    };
    write("first");
    let url = format!(
        "postgres://secret@127.0.0.1:{}/postgres?passfile={}",
        server.port(),
        file.display()
    );
    let log = open_at(&url, options()).await;
    let log = log.unwrap_or_else(|error| panic!("{}", line(&error)));
    set("second");
    server.sql(
        "postgres",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'secret'",
    );
    let error = log.poll(ask(Cursor::default())).await.unwrap_err();
    assert!(
        line(&error).contains("password of secret"),
        "{}",
        line(&error)
    );
    write("second");
    append(&log, [grant(1)]).await;
    poll(&log, Cursor::default()).await;
}
