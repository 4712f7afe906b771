//! The four programs of the README. Each refuses a token once it is revoked.

use std::{path::Path, process::Command};

use super::{
    gateway::World,
    http::{C1, C2, Credentials, FullResponse, Http},
    process::{Server, binary, folder},
};

/// Starts a program in a writable folder.
fn start(program: &str, folder: &Path, settings: &[(&str, &str)]) -> (Server, Http) {
    let mut command = Command::new(binary(program));
    for name in ["AUDIENCE", "ISSUER", "SERVER"] {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("LISTEN", "127.0.0.1:0")
        .envs(settings.iter().copied());
    let server = Server::run(command);
    let http = Http::to(server.url(""));
    (server, http)
}

async fn me(http: &Http, token: &str) -> FullResponse {
    let request = http.with_token("/me", token);
    http.try_send(request).await.expect("the server responds")
}

/// The token of `C1` works, only `C1` revokes it, and then it is refused.
async fn only_the_owner_revokes(http: &Http, token: &str) {
    let before = me(http, token).await;
    assert_eq!(
        (before.status.as_u16(), &*before.body),
        (200, &b"s6BhdRkqt3\n"[..])
    );
    let foreign = http.revoke(C2, token).await;
    assert!(foreign.status.is_client_error(), "{foreign:?}");
    assert_eq!(me(http, token).await.status, 200);

    let revoked = http.revoke(C1, token).await;
    assert_eq!((revoked.status.as_u16(), revoked.body.len()), (200, 0));
    assert!(me(http, token).await.is_refused_token());
    assert_eq!(http.revoke(C1, token).await.status, 200);
    assert!(me(http, "unknown").await.is_refused_token());
}

#[tokio::test]
async fn own_table_refuses_a_revoked_token() {
    let (folder, _) = folder();
    let (_server, http) = start("own_table", folder.path(), &[]);
    only_the_owner_revokes(&http, "45ghiukldjahdnhzdauz").await;

    // The router around the layer does not change its responses.
    let response = http.get("/oauth2/revoke").await;
    assert_eq!(
        (response.status.as_u16(), response.header("allow")),
        (405, "POST, OPTIONS")
    );
    assert!(
        !http
            .revoke(C1, "unknown")
            .await
            .headers
            .contains_key("allow")
    );
}

#[tokio::test]
async fn jwt_is_refused_once_revoked_also_after_a_restart() {
    let world = World::new().await;
    let token = world.http.own_token(C1).await;
    let ca = world.path().join("ca.pem");
    let settings = [
        ("ISSUER", &*world.issuer),
        ("SSL_CERT_FILE", ca.to_str().unwrap()),
    ];
    let (server, http) = start("jwt", world.path(), &settings);
    only_the_owner_revokes(&http, &token).await;

    server.kill();
    let (_server, http) = start("jwt", world.path(), &settings);
    assert!(me(&http, &token).await.is_refused_token());
}

#[tokio::test]
async fn introspected_token_is_refused_here_and_at_its_own_server() {
    let (folder, data) = folder();
    let authority = Server::start(&data);
    let of_authority = Http::to(authority.url(""));
    let token = of_authority.own_token(C1).await;
    let (_server, http) = start(
        "introspection",
        folder.path(),
        &[("SERVER", &authority.url(""))],
    );
    only_the_owner_revokes(&http, &token).await;
    assert!(of_authority.me(&token).await.is_refused_token());
}

#[tokio::test]
async fn minimal_authorization_server_issues_and_revokes() {
    let (folder, _) = folder();
    let program = "authorization_server_minimal";
    let (server, http) = start(program, folder.path(), &[]);
    let grant = [("grant_type", "client_credentials")];
    let issued = http.post("/oauth2/token", C1, &grant).await;
    let token = issued.text("access_token");
    only_the_owner_revokes(&http, &token).await;

    let wrong_secret = http
        .post(
            "/oauth2/token",
            Credentials::Basic(C1.id(), "wrong"),
            &grant,
        )
        .await;
    assert!(
        wrong_secret.is_error(401, "invalid_client"),
        "{wrong_secret:?}"
    );
    let wrong_grant = http
        .post("/oauth2/token", C1, &[("grant_type", "password")])
        .await;
    assert!(
        wrong_grant.is_error(400, "unsupported_grant_type"),
        "{wrong_grant:?}"
    );

    server.kill();
    let (_server, http) = start(program, folder.path(), &[]);
    assert!(me(&http, &token).await.is_refused_token());
}

#[test]
fn readme_contains_the_programs_unchanged() {
    let programs = [
        include_str!("../../examples/own_table.rs"),
        include_str!("../../examples/jwt.rs"),
        include_str!("../../examples/introspection.rs"),
        include_str!("../../examples/authorization_server/minimal.rs"),
    ];
    let readme = include_str!("../../README.md");
    let blocks = readme.split("\n```rust\n").skip(1);
    let blocks: Vec<_> = blocks
        .map(|block| block.split_once("\n```\n").expect("the block ends").0)
        .collect();
    let programs = programs.map(str::trim_end);
    assert_eq!(blocks, programs, "copy the examples into the README");
}
