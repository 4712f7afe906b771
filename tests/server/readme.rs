//! The first screen of the README, run to the letter.

use std::process::Command;

use super::process::{Server, folder};

/// What the README has a newcomer type while the server runs.
fn lines() -> &'static str {
    let readme = include_str!("../../README.md");
    let (_, after) = readme
        .split_once("```sh\nTOKEN=")
        .expect("the README has the lines");
    let start = readme.len() - after.len() - "TOKEN=".len();
    let (lines, _) = readme[start..].split_once("```").expect("the lines end");
    lines
}

#[test]
fn lines_of_the_readme_show_what_they_say() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    // Another port than a server that somebody may be running.
    let lines = lines().replace("127.0.0.1:8089", &server.address);
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &lines])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");

    let (before, after) = said.split_once("HTTP/1.1 200 OK").expect("the revocation");
    assert!(before.contains(r#""client_id":"s6BhdRkqt3""#), "{said}");
    assert!(after.contains("HTTP/1.1 401 Unauthorized"), "{said}");
    assert!(after.contains(r#"error="invalid_token""#), "{said}");
}
