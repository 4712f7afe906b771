//! The settings in the environment.

use std::{fs, process::Command};

use super::{
    http::{Credentials, Http},
    process::{Server, command, folder, output},
};

/// The error with which the server does not start.
fn refusal(mut command: Command) -> String {
    let output = output(&mut command);
    assert!(!output.status.success(), "the server started");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn address_that_is_not_loopback_is_refused_by_default() {
    let (_folder, data) = folder();
    let mut exposed = command();
    exposed.env("DATA", &data).env("LISTEN", "0.0.0.0:0");
    let refusal = refusal(exposed);
    assert!(refusal.contains("not a loopback address"), "{refusal}");
    assert!(refusal.contains("DEMO_EXPOSE=1"), "{refusal}");

    let mut exposed = command();
    exposed
        .env("DATA", &data)
        .env("LISTEN", "0.0.0.0:0")
        .env("DEMO_EXPOSE", "1");
    let server = Server::run(exposed);
    assert!(server.address.starts_with("0.0.0.0:"));
}

#[test]
fn issuer_in_plain_http_is_refused_beyond_this_machine() {
    for issuer in [
        "http://as.example.com",
        "http://0.0.0.0:8089",
        "as.example.com",
    ] {
        let (_folder, data) = folder();
        let mut started = command();
        started.env("DATA", &data).env("ISSUER", issuer);
        let refusal = refusal(started);
        let line = format!("ISSUER={issuer}: expected an https URL");
        assert!(refusal.contains(&line), "{refusal}");
        assert!(!refusal.contains("panicked"), "{refusal}");
    }
}

#[test]
fn second_server_on_a_file_fails_because_it_is_locked() {
    let (_folder, data) = folder();
    let _server = Server::start(&data);
    let mut second = command();
    second.env("DATA", &data);
    let refusal = refusal(second);
    assert!(refusal.contains("open in another process"), "{refusal}");
}

#[test]
fn file_that_is_not_a_log_is_refused_and_not_changed() {
    let (_folder, data) = folder();
    fs::write(&data, "precious").unwrap();
    let mut started = command();
    started.env("DATA", &data);
    let refusal = refusal(started);
    assert!(
        refusal.contains("damaged, or what is there is not a log"),
        "{refusal}"
    );
    assert_eq!(fs::read(&data).unwrap(), b"precious");
}

#[test]
fn invalid_clients_are_refused_with_line_and_reason() {
    let (folder, data) = folder();
    let clients = folder.path().join("clients.json");
    fs::write(&clients, "[\n  { \"client_id\": \"a\" }\n]").unwrap();
    let mut started = command();
    started.env("DATA", &data).env("CLIENTS", &clients);
    let refusal = refusal(started);
    assert!(
        refusal.contains("line 2") && refusal.contains("secret"),
        "{refusal}"
    );
}

#[tokio::test]
async fn clients_issuer_and_origins_can_be_set() {
    let (folder, data) = folder();
    let clients = folder.path().join("clients.json");
    fs::write(
        &clients,
        r#"{ "client_id": "own", "client_secret": "s3cret" }"#,
    )
    .unwrap();
    let mut started = command();
    started
        .env("DATA", &data)
        .env("CLIENTS", &clients)
        .env("ISSUER", "https://as.example.com")
        .env("CORS_ORIGINS", "https://spa.example, https://other.example");
    let server = Server::run(started);
    let http = Http::to(server.url(""));

    let metadata = http
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    assert_eq!(metadata["issuer"], "https://as.example.com");
    assert_eq!(
        metadata["revocation_endpoint"],
        "https://as.example.com/oauth2/revoke"
    );
    assert_eq!(
        http.revoke(Credentials::Basic("own", "s3cret"), "unknown")
            .await
            .status,
        200
    );
    assert_eq!(
        http.revoke(Credentials::Public("spa-1"), "unknown")
            .await
            .status,
        401
    );

    for (origin, allowed) in [
        ("https://other.example", "https://other.example"),
        ("http://127.0.0.1:5173", ""),
    ] {
        let request = hyper::Request::post(server.url("/oauth2/revoke"))
            .header("origin", origin)
            .body("".into())
            .unwrap();
        let response = http.try_send(request).await.unwrap();
        assert_eq!(response.header("access-control-allow-origin"), allowed);
    }
}

/// The variables in the table of the README.
fn documented() -> impl Iterator<Item = &'static str> {
    let readme = include_str!("../../examples/authorization_server/README.md");
    let (_, table) = readme
        .split_once("| variable | what it sets |")
        .expect("the README has the table");
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split_once('`').unwrap().0)
}

#[test]
fn help_names_every_setting() {
    let output = output(command().arg("--help"));
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(documented().count() > 9);
    for setting in documented().chain(["--jwt", "--help"]) {
        assert!(
            help.contains(&format!("\n    {setting} ")),
            "{setting}: {help}"
        );
    }
}

#[test]
fn contradictory_and_unknown_arguments_are_refused() {
    let mut unknown = command();
    unknown.args(["--jwt", "--fast"]);
    let refusal = refusal(unknown);
    assert!(
        refusal.contains("--fast") && refusal.contains("--help"),
        "{refusal}"
    );

    let mut contradiction = command();
    contradiction.arg("--jwt").env("ACCESS_TOKENS", "opaque");
    let mut unheard_of = command();
    unheard_of.env("ACCESS_TOKENS", "saml");
    for command in [contradiction, unheard_of] {
        let refusal = self::refusal(command);
        assert!(refusal.contains("ACCESS_TOKENS"), "{refusal}");
    }
}

#[tokio::test]
async fn listening_server_is_healthy() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    assert_eq!(http.get("/health").await.status, 200);
}
