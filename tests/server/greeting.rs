//! The commands that the server prints, and the list of endpoints.

use std::{fs, process::Command};

use super::{
    http::Http,
    process::{Server, command, folder, output},
};

/// The printed commands.
fn lines_to_try(server: &mut Server) -> String {
    while server.next_line() != "get a token, use it, revoke it, and see that it is refused:" {}
    let mut lines = String::new();
    while lines.matches("/api/me").count() < 2 {
        lines += &server.next_line();
        lines += "\n";
    }
    lines
}

fn run(lines: &str) -> String {
    let output = output(Command::new("bash").args(["-euo", "pipefail", "-c", lines]));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}

#[test]
fn printed_commands_revoke_a_token_and_show_that_it_is_refused() {
    for (arguments, listen) in [
        (&[][..], "127.0.0.1:0"),
        (&["--jwt"], "127.0.0.1:0"),
        (&[], "0.0.0.0:0"),
    ] {
        let (_folder, data) = folder();
        let mut started = command();
        started
            .args(arguments)
            .env("DATA", &data)
            .env("LISTEN", listen)
            .env("DEMO_EXPOSE", "1");
        let mut server = Server::run(started);
        let printed = run(&lines_to_try(&mut server));
        let (before, after) = printed
            .split_once("HTTP/1.1 200 OK")
            .expect("the revocation succeeds");
        assert!(before.contains(r#""client_id":"s6BhdRkqt3""#), "{printed}");
        assert!(after.contains("HTTP/1.1 401 Unauthorized"), "{printed}");
        // The server prints nothing after them.
        server.signal("TERM");
        server.wait();
        assert_eq!(server.rest(), "");
    }
}

#[test]
fn server_with_other_clients_prints_no_demo_client() {
    let (folder, data) = folder();
    let clients = folder.path().join("clients.json");
    fs::write(
        &clients,
        r#"{ "client_id": "a", "client_secret": "s3cret" }"#,
    )
    .unwrap();
    let mut started = command();
    started.env("DATA", &data).env("CLIENTS", &clients);
    let mut server = Server::run(started);
    while server.next_line() != "list the endpoints:" {}
    assert_eq!(server.next_line(), "");
    let line = server.next_line();
    assert!(!line.contains("s6BhdRkqt3"));
    assert!(run(&line).contains("/oauth2/revoke"));
}

#[tokio::test]
async fn list_names_every_endpoint_and_no_other() {
    for issuer in ["https://as.example.com", "https://as.example.com/tenant/1"] {
        let (_folder, data) = folder();
        let mut started = command();
        started.env("DATA", &data).env("ISSUER", issuer);
        let server = Server::run(started);
        let http = Http::to(server.url(""));
        let response = http.get("/").await;
        assert_eq!(response.status, 200);
        assert!(response.header("content-type").starts_with("text/plain"));
        let list = String::from_utf8(response.body.to_vec()).unwrap();
        let listed: Vec<_> = list
            .lines()
            .map(|line| line.split_whitespace().nth(1).unwrap())
            .collect();
        for path in &listed {
            if *path != "/api/events" {
                assert_ne!(http.get(path).await.status, 404, "{path}");
            }
        }
        let own = issuer.strip_prefix("https://as.example.com").unwrap();
        let metadata = format!("/.well-known/oauth-authorization-server{own}");
        let metadata = http.get(&metadata).await.json();
        for (name, url) in metadata.as_object().unwrap() {
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                let path = url.as_str().unwrap().strip_prefix(issuer).unwrap();
                assert!(listed.contains(&path), "{name}: {list}");
            }
        }
    }
}
