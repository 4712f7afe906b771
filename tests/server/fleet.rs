//! Two authorization servers with one database are one server.

#[path = "../fixture/memory.rs"]
mod memory;
#[path = "../fixture/postgres/mod.rs"]
mod postgres;

use std::{path::Path, time::Duration};

use super::{
    http::{C1, C2, Http, SPA},
    port,
    process::{Server, command, error_line, folder},
};

/// Only other tests call these.
const _: () = {
    use postgres::Server;
    let _ = (Server::backup, Server::restore, Server::standby);
    let _ = (Server::port, Server::socket, Server::sql);
};

const ISSUER: &str = "https://as.example.com";

/// Starts an authorization server of the fleet.
fn start(database: &postgres::Server, keys: &Path, jwt: bool) -> (Server, Http) {
    let mut command = command();
    let log = format!("{}?lease=2s", database.url("postgres"));
    let format = if jwt { "jwt" } else { "opaque" };
    command
        .env("LOG", log)
        .env("KEYS", keys)
        .env("ISSUER", ISSUER)
        .env("ACCESS_TOKENS", format);
    let server = Server::run(command);
    let http = Http::to(server.url(""));
    (server, http)
}

async fn until_refused(http: &Http, token: &str) {
    let waiting = async {
        while !http.me(token).await.is_refused_token() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.expect("the other server hears of it");
}

#[tokio::test]
async fn token_of_one_server_works_and_is_revoked_at_the_other() {
    let Some(database) = postgres::Server::start(&[]) else {
        return;
    };
    let (folder, _) = folder();
    for jwt in [false, true] {
        let keys = folder.path().join("keys");
        let (_one, one) = start(&database, &keys, jwt);
        let (_other, other) = start(&database, &keys, jwt);
        let token = one.own_token(C1).await;
        assert_eq!(other.me(&token).await.status, 200);
        assert_eq!(other.revoke(C2, &token).await.status, 400);
        assert_eq!(other.revoke(C1, &token).await.status, 200);
        assert!(other.me(&token).await.is_refused_token());
        until_refused(&one, &token).await;
        assert_eq!(one.get("/health").await.status, 200);
        assert_eq!(one.get("/health/revocation").await.status, 200);
    }
}

#[tokio::test]
async fn grant_is_one_at_both_servers() {
    let Some(database) = postgres::Server::start(&[]) else {
        return;
    };
    let (folder, _) = folder();
    let keys = folder.path().join("keys");
    let (_one, one) = start(&database, &keys, false);
    let (_other, other) = start(&database, &keys, false);
    let code = one.code(SPA).await;
    let first = other.redeem(SPA, &code).await;
    let (access, refresh) = (first.text("access_token"), first.text("refresh_token"));
    let second = one.refresh(SPA, &refresh).await;
    assert_eq!(second.status, 200);
    assert_eq!(one.me(&access).await.status, 200);
    // Somebody has a copy, so the grant ends at both.
    assert!(
        other
            .refresh(SPA, &refresh)
            .await
            .is_error(400, "invalid_grant")
    );
    until_refused(&one, &access).await;
    let refresh = second.text("refresh_token");
    assert!(
        one.refresh(SPA, &refresh)
            .await
            .is_error(400, "invalid_grant")
    );
}

#[test]
fn log_that_cannot_be_used_is_a_one_line_error() {
    let (_folder, data) = folder();
    let mut both = command();
    both.env("DATA", data)
        .env("LOG", "postgres://127.0.0.1/app");
    assert_eq!(
        error_line(both),
        "LOG and DATA are both set: the state is in one of them"
    );
    // A file in its place would know nothing of the others.
    let mut empty = command();
    empty.env("LOG", "");
    assert_eq!(
        error_line(empty),
        "LOG is empty: set it to the URL of a log, or do not set it"
    );
    let mut unknown = command();
    unknown.env("LOG", "mysql://me:secret@127.0.0.1/app");
    let line = error_line(unknown);
    assert!(
        line.starts_with("LOG: ") && !line.contains("secret"),
        "{line}"
    );
}
