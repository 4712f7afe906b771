//! Runs the commands of the READMEs as they are written.

use std::process::Command;

use super::process::{Server, command, folder, output};

const README: &str = include_str!("../../README.md");
const README_OF_THE_EXAMPLE: &str = include_str!("../../examples/authorization_server/README.md");

/// The first block of shell commands that begins like this.
fn commands(readme: &str, begin: &str) -> String {
    let (_, after) = readme
        .split_once(&format!("```sh\n{begin}"))
        .expect("the README has the commands");
    let (rest, _) = after.split_once("```").expect("the block ends");
    format!("{begin}{rest}")
}

/// Runs commands in the folder of the demo's keys. Returns what they print.
fn run(commands: &str, keys: &std::path::Path) -> String {
    let output = output(
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", commands])
            .current_dir(keys),
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}

#[test]
fn commands_revoke_a_token_and_show_that_it_is_refused() {
    for readme in [README, README_OF_THE_EXAMPLE] {
        let (folder, data) = folder();
        let server = Server::start(&data);
        // Not the default port: another server may use it.
        let commands = commands(readme, "TOKEN=").replace("127.0.0.1:8089", &server.address);
        let printed = run(&commands, folder.path());

        let (before, after) = printed
            .split_once("HTTP/1.1 200 OK")
            .expect("the revocation succeeds");
        assert!(before.contains(r#""client_id":"s6BhdRkqt3""#), "{printed}");
        assert!(after.contains("HTTP/1.1 401 Unauthorized"), "{printed}");
        assert!(after.contains(r#"error="invalid_token""#), "{printed}");
    }
}

#[test]
fn commands_authenticate_by_a_certificate_and_by_an_assertion() {
    let (_folder, data) = folder();
    let mut command = command();
    command.env("DATA", &data).env("TLS_LISTEN", "127.0.0.1:0");
    let mut server = Server::run(command);
    let tls = server.next_line();
    let tls = tls.strip_prefix("listening on ").expect("the TLS address");
    let commands = commands(
        README_OF_THE_EXAMPLE,
        "cd target/authorization_server.keys\n",
    )
    .replace("cd target/authorization_server.keys\n", "")
    .replace("https://localhost:8443", tls)
    .replace("127.0.0.1:8089", &server.address);
    let printed = run(&commands, &data.with_extension("keys"));
    assert!(printed.contains("access_token"), "{printed}");
    assert!(printed.contains("HTTP/1.1 200 OK"), "{printed}");
}
