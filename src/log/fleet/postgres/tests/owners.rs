//! Functions of the schema run with the rights of the node, so a stranger must not own them.

use super::{super::super::super::LogErrorKind::Misconfigured, messages::refused, *};

/// A server with the roles `node`, which may create schemas, and `stranger`.
fn shared() -> Option<Server> {
    let server = Server::start(&[])?;
    for sql in [
        "create role node login",
        "create role stranger login",
        "grant create on database postgres to node, stranger",
    ] {
        server.sql("postgres", sql);
    }
    Some(server)
}

fn url(server: &Server, role: &str) -> String {
    server.url("postgres").replace("admin", role)
}

#[tokio::test]
async fn schema_that_a_stranger_has_made_first_is_refused() {
    let Some(server) = shared() else {
        return;
    };
    // Empty, and with tables.
    server.sql(
        "postgres",
        "create schema tower_revocation authorization stranger",
    );
    let wanted = ["belongs to stranger, who could act as", "drop it"];
    for role in ["node", "admin"] {
        server.sql("postgres", "grant all on schema tower_revocation to node");
        refused(&url(&server, role), Misconfigured, &wanted).await;
    }
    open_at(&url(&server, "stranger"), options()).await.unwrap();
    for right in ["all tables", "all functions"] {
        let grant = format!("grant all on {right} in schema tower_revocation to node");
        server.sql("postgres", &grant);
    }
    for role in ["node", "admin"] {
        refused(&url(&server, role), Misconfigured, &wanted).await;
    }
    // Who is trusted with its rights may own it.
    server.sql("postgres", "grant stranger to node");
    let log = open_at(&url(&server, "node"), options()).await.unwrap();
    append(&log, [grant(1)]).await;
}

#[tokio::test]
async fn function_that_a_stranger_has_put_there_is_refused() {
    let Some(server) = shared() else {
        return;
    };
    let log = open_at(&url(&server, "node"), options()).await.unwrap();
    append(&log, [grant(1)]).await;
    for sql in [
        "grant all on schema tower_revocation to stranger",
        "set role stranger; create function tower_revocation.extra() returns int language sql \
         as 'select 1'",
    ] {
        server.sql("postgres", sql);
    }
    let wanted = ["belongs to stranger"];
    refused(&url(&server, "node"), Misconfigured, &wanted).await;
    server.sql("postgres", "drop function tower_revocation.extra()");
    open_at(&url(&server, "node"), options()).await.unwrap();
}

#[tokio::test]
async fn owner_of_the_database_and_superusers_are_trusted() {
    let Some(server) = shared() else {
        return;
    };
    server.sql(
        "postgres",
        "create role owner login; alter database postgres owner to owner",
    );
    for (role, name) in [("owner", "by_owner"), ("admin", "by_admin")] {
        let named = || Options {
            name: Some(name.to_owned()),
            ..options()
        };
        open_at(&url(&server, role), named()).await.unwrap();
        let schema = ["tower_revocation", name].join("_");
        for right in [
            format!("usage on schema {schema}"),
            format!("all on all tables in schema {schema}"),
        ] {
            server.sql("postgres", &format!("grant {right} to node"));
        }
        let log = open_at(&url(&server, "node"), named()).await.unwrap();
        append(&log, [grant(1)]).await;
    }
}
