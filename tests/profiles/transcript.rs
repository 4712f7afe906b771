//! Runs the transcripts of a page of the documentation against a server.
//!
//! Each `http` block is one request and its response. The response starts at a line `HTTP/1.1 …`. Its
//! fields must be in the real response, in any order and among others. Its body must be the real one.
//! `*` stands for any text without a line break. A field with the value `(absent)` must not be there.

use std::{fmt::Write as _, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Runs all transcripts of a page, in their order. Returns their number.
pub(crate) async fn run(page: &str, server: SocketAddr) -> usize {
    let exchanges: Vec<&str> = page
        .split("```http\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect();
    for exchange in &exchanges {
        let (request, response) = exchange.split_once("\nHTTP/1.1 ").unwrap();
        let seen = send(server, request.trim_end_matches('\n')).await;
        check(&format!("HTTP/1.1 {response}"), &seen, exchange);
    }
    exchanges.len()
}

async fn send(server: SocketAddr, request: &str) -> String {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut raw = head.replace('\n', "\r\n");
    write!(raw, "\r\nHost: server.test\r\nConnection: close\r\n").unwrap();
    write!(raw, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut connection = TcpStream::connect(server).await.unwrap();
    connection.write_all(raw.as_bytes()).await.unwrap();
    let mut seen = String::new();
    connection.read_to_string(&mut seen).await.unwrap();
    seen
}

fn check(expected: &str, seen: &str, exchange: &str) {
    let (head, body) = expected
        .split_once("\n\n")
        .unwrap_or((expected.trim_end(), ""));
    let (seen_head, seen_body) = seen.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let mut seen_lines = seen_head.lines();
    assert_eq!(lines.next(), seen_lines.next(), "{exchange}\nseen: {seen}");
    let fields: Vec<String> = seen_lines.map(lower_name).collect();
    for field in lines.map(lower_name) {
        if let Some(name) = field.strip_suffix(" (absent)") {
            let is_there = fields.iter().any(|seen| seen.starts_with(name));
            assert!(!is_there, "{field}\nin {exchange}\nseen: {seen}");
            continue;
        }
        let is_there = fields.iter().any(|seen| fits(&field, seen));
        assert!(is_there, "{field}\nin {exchange}\nseen: {seen}");
    }
    let body = body.trim_end_matches('\n');
    assert!(fits(body, seen_body), "{exchange}\nseen: {seen}");
}

/// Names of fields have no case.
fn lower_name(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap();
    format!("{}:{value}", name.to_ascii_lowercase())
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            let rest = text
                .strip_prefix(start)
                .and_then(|rest| rest.strip_suffix(end));
            rest.is_some_and(|any| !any.contains('\n'))
        }
    }
}

#[test]
fn pattern_fits_only_its_own_text() {
    for (pattern, text, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*c", "abc", true),
        ("a*c", "ac", true),
        ("a*c", "ab", false),
        ("a*", "a\n", false),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
}
