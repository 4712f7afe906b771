//! Functions of the schema run with the rights of the node, so a stranger must not own them.

use super::{super::super::super::LogErrorKind::Misconfigured, messages::refused, *};

/// The guide on production.
const GUIDE: &str = include_str!("../../../../guide/fleet.rs");

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
    let wanted = [
        "the schema tower_revocation at",
        "belongs to stranger, who could act as",
        "drop it",
    ];
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
    let wanted = [
        "the function tower_revocation.extra at",
        "belongs to stranger",
    ];
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

/// A server with the roles `revoker`, which has made the log, `node`, and `app_owner`, the owner of
/// the database.
async fn made_by_revoker() -> Option<Server> {
    let server = Server::start(&[])?;
    for sql in [
        "create role revoker login; create role node login; create role app_owner",
        "alter database postgres owner to app_owner",
        "grant create on database postgres to revoker",
    ] {
        server.sql("postgres", sql);
    }
    open_at(&url(&server, "revoker"), options()).await.unwrap();
    refused(
        &url(&server, "node"),
        Misconfigured,
        &["belongs to revoker", "GRANT revoker to node"],
    )
    .await;
    Some(server)
}

async fn all_append(server: &Server) {
    for (number, role) in [(1, "node"), (2, "revoker")] {
        let log = open_at(&url(server, role), options()).await.unwrap();
        append(&log, [grant(number)]).await;
    }
}

#[tokio::test]
async fn second_role_that_may_act_as_the_first_needs_nothing_else() {
    let Some(server) = made_by_revoker().await else {
        return;
    };
    let line = "grant revoker to node;";
    assert!(GUIDE.contains(line));
    server.sql("postgres", line);
    all_append(&server).await;
}

#[tokio::test]
async fn owner_of_the_database_can_have_the_log_that_another_role_has_made() {
    let Some(server) = made_by_revoker().await else {
        return;
    };
    // Tables and functions have owners of their own.
    server.sql(
        "postgres",
        "alter schema tower_revocation owner to app_owner",
    );
    let wanted = ["the table tower_revocation.", "REASSIGN OWNED BY revoker"];
    refused(&url(&server, "node"), Misconfigured, &wanted).await;

    let (_, after) = GUIDE.split_once("reassign owned").unwrap();
    let (recipe, _) = after.split_once("//! ```").unwrap();
    let recipe = format!("reassign owned{recipe}").replace("//!", "");
    assert_eq!(recipe.matches("grant ").count(), 2);
    server.sql("postgres", &recipe);
    all_append(&server).await;
}
