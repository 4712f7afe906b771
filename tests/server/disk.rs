//! A disk that is full.

use std::{fs, process::Command};

use super::{
    http::{C1, Http},
    process::{Server, binary, command, folder},
};

#[tokio::test]
async fn full_disk_is_503_and_nothing_answered_is_lost() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    let (first, _) = http.tokens(C1).await;
    let (second, _) = http.tokens(C1).await;
    assert_eq!(http.revoke(C1, &first).await.status, 200);
    server.kill();

    // From now on the file cannot grow.
    let blocks = fs::metadata(&data).unwrap().len().div_ceil(1024);
    let mut limited = Command::new("bash");
    for (name, value) in command().get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\"");
    limited
        .env("DATA", &data)
        .arg("-c")
        .arg(script)
        .arg(binary("authorization_server"));
    let server = Server::run(limited);
    let http = Http::to(server.url(""));
    let parameters = [("grant_type", "client_credentials")];
    let mut issued = Vec::new();
    let refused = loop {
        let answer = http.post("/oauth2/token", C1, &parameters).await;
        if answer.status != 200 {
            break answer;
        }
        issued.push(answer.text("access_token"));
        assert!(issued.len() < 50_000, "the disk never fills");
    };
    assert!(
        refused.is_error(503, "temporarily_unavailable"),
        "{refused:?}"
    );
    let answer = http.revoke(C1, &second).await;
    assert!(
        answer.is_error(503, "temporarily_unavailable"),
        "{answer:?}"
    );
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(http.me(&second).await.status, 200);
    assert_eq!(http.me(&first).await.status, 401);
    server.kill();

    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    assert_eq!(http.me(&first).await.status, 401);
    if let Some(last) = issued.last() {
        assert_eq!(http.me(last).await.status, 200);
    }
    assert_eq!(http.revoke(C1, &second).await.status, 200);
    assert_eq!(http.me(&second).await.status, 401);
}
