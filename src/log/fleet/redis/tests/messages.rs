//! What is wrong is said in one line, at the start.

use super::{
    super::super::super::LogErrorKind,
    fixture::{Sentinels, programs},
    *,
};

pub(super) async fn refused(url: &str) -> String {
    let error = try_open(url, hasty()).await.err();
    let error = error.unwrap_or_else(|| panic!("{url} is accepted"));
    let line = line(&error);
    assert!(!line.contains("hunter2") && !line.contains('\n'), "{line}");
    assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{line}");
    line
}

/// Whether the server has WAITAOF.
fn can_wait(server: &Server) -> bool {
    !server.say("WAITAOF 0 0 1").contains("unknown command")
}

/// The line of the guide that makes a user, for the user `me`.
fn rights_of_the_guide() -> String {
    let guide = include_str!("../../../../guide/fleet.rs");
    let (_, after) = guide.split_once("redis-cli ACL SETUSER revoker").unwrap();
    let (rights, _) = after.split_once("//! ```").unwrap();
    let rights = rights.replace(['\'', '\\'], "").replace("//!", "");
    let words: Vec<_> = rights.split_whitespace().collect();
    let rights = words.join(" ").replace("PASSWORD", "hunter2");
    format!("ACL SETUSER me {rights}")
}

#[tokio::test]
async fn forbidden_settings_are_refused() {
    let evicting = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    for (settings, query, wanted) in [
        (&evicting[..], "", "maxmemory-policy allkeys-lru"),
        (&["--appendonly", "no"], "", "appendonly no"),
        (&["--appendfsync", "no"], "", "appendfsync no"),
        (&["--replicaof", "127.0.0.1 1"], "", "is a replica"),
        (&["--cluster-enabled", "yes"], "", "is a cluster: the URL"),
        (&[], "/99", "no such database"),
        (&["--requirepass", "other"], "", "asks for a password"),
    ] {
        for server in Server::each(settings) {
            let line = refused(&format!("{}{query}", server.url())).await;
            assert!(line.contains(wanted), "{wanted}: {line}");
        }
    }
    for server in Server::each(&["--appendfsync", "everysec"]) {
        if can_wait(&server) {
            let log = open(&server).await;
            append(&log, [grant(1)]).await;
        } else {
            let line = refused(&server.url()).await;
            assert!(line.contains("appendfsync everysec"), "{line}");
        }
    }
    for server in Server::each(&["--no-appendfsync-on-rewrite", "yes"]) {
        if can_wait(&server) {
            let log = open(&server).await;
            append(&log, [grant(1)]).await;
        } else {
            let line = refused(&server.url()).await;
            assert!(line.contains("no-appendfsync-on-rewrite yes"), "{line}");
        }
    }
    for server in Server::each(&["--appendonly", "no"]) {
        let log = open_at(&format!("{}?durability=volatile", server.url()), options()).await;
        append(&log, [grant(1)]).await;
        assert_eq!(
            log.durability(),
            super::super::super::super::Durability::Volatile
        );
    }
}

#[tokio::test]
async fn users_need_a_password_and_rights() {
    for server in Server::each(&[]) {
        let mut all = rights_of_the_guide();
        if !can_wait(&server) {
            all = all.replace(" +waitaof", "");
        }
        assert_eq!(server.say(&all), "OK");
        let port = server.port;
        let at = |login: &str, query: &str| format!("redis://{login}@127.0.0.1:{port}{query}");
        let log = open_at(&at("me:hunter2", ""), options()).await;
        append(&log, [grant(1)]).await;
        assert!(
            refused(&at("me:hunter22", ""))
                .await
                .contains("refuses the password")
        );
        assert!(
            refused(&at(":hunter2", ""))
                .await
                .contains("has no password")
        );
        server.say("ACL SETUSER me -xadd");
        assert!(
            refused(&at("me:hunter2", ""))
                .await
                .contains("XADD is refused")
        );
        server.say("ACL SETUSER me +xadd -evalsha");
        assert!(refused(&at("me:hunter2", "")).await.contains("evalsha"));
        server.say("ACL SETUSER me +evalsha resetkeys ~other*");
        assert!(refused(&at("me:hunter2", "")).await.contains("keys"));
        server.say("ACL SETUSER me ~{tr* -config|get");
        if can_wait(&server) {
            open_at(&at("me:hunter2", ""), options()).await;
        } else {
            assert!(
                refused(&at("me:hunter2", ""))
                    .await
                    .contains("assume=aof-always")
            );
        }
        open_at(&at("me:hunter2", "?assume=aof-always"), options()).await;
    }
}

#[tokio::test]
async fn wrong_place_is_said() {
    let Some(program) = programs().into_iter().next() else {
        return;
    };
    let error = try_open("redis://127.0.0.1:1", hasty())
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);
    assert!(
        line(&error).contains("nothing listens at 127.0.0.1:1"),
        "{}",
        line(&error)
    );
    let group = Sentinels::start(&program);
    let line = refused(&group.url().replace("main", "other")).await;
    assert!(line.contains("knows no `other`"), "{line}");
    let port = group.primary.port;
    let line = refused(&format!(
        "redis+sentinel://127.0.0.1:{port}/main?replicas=1"
    ))
    .await;
    assert!(line.contains("is not a sentinel"), "{line}");
    let line = refused(&format!("redis+cluster://127.0.0.1:{port}?replicas=1")).await;
    assert!(line.contains("is no cluster"), "{line}");
}

#[tokio::test]
async fn limit_of_connections_is_named() {
    for server in Server::each(&["--maxclients", "1"]) {
        let error = try_open(&server.url(), hasty()).await.err().unwrap();
        assert_eq!(error.kind(), LogErrorKind::Unavailable);
        let line = line(&error);
        assert!(line.contains("raise `maxclients`"), "{line}");
    }
}

#[tokio::test]
async fn newer_log_is_not_read() {
    for server in Server::each(&[]) {
        let log = open(&server).await;
        server.say("HSET {tr}:head format 2");
        for error in [
            log.poll(ask(Cursor::default())).await.err(),
            log.append(request([batch([grant(1)])])).await.err(),
            try_open(&server.url(), options()).await.err(),
        ] {
            assert_eq!(error.unwrap().kind(), LogErrorKind::UnknownFormat);
        }
    }
}
