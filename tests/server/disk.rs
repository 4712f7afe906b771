//! A full disk, and a lost file.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use super::{
    http::{C1, Http},
    process::{Server, binary, command, folder, output},
};

#[tokio::test]
async fn full_disk_is_503_and_no_confirmed_revocation_is_lost() {
    let (_folder, data) = folder();
    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    let (first, _) = http.tokens(C1).await;
    let (second, _) = http.tokens(C1).await;
    assert_eq!(http.revoke(C1, &first).await.status, 200);
    server.kill();

    // From now on, the file cannot grow.
    let blocks = fs::metadata(&data).unwrap().len().div_ceil(1024);
    let mut limited = Command::new("bash");
    for (name, value) in command().get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\"");
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
        let response = http.post("/oauth2/token", C1, &parameters).await;
        if response.status != 200 {
            break response;
        }
        issued.push(response.text("access_token"));
        assert!(issued.len() < 50_000, "the disk does not become full");
    };
    assert!(
        refused.is_error(503, "temporarily_unavailable"),
        "{refused:?}"
    );
    let response = http.revoke(C1, &second).await;
    assert!(
        response.is_error(503, "temporarily_unavailable"),
        "{response:?}"
    );
    // The time until the next attempt to write.
    let retry_after: u64 = response.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&retry_after), "{retry_after}");
    // Checks of tokens continue, and only revocation is unhealthy.
    assert_eq!(http.me(&first).await.status, 401);
    assert_eq!(http.get("/health").await.status, 200);

    // There is space again. The server recovers without a restart.
    let unlimited = Command::new("prlimit")
        .args(["--fsize=unlimited:unlimited", "--pid"])
        .arg(server.id().to_string())
        .status();
    if !unlimited.is_ok_and(|status| status.success()) {
        eprintln!("skipped: without prlimit the disk stays full");
        return;
    }
    let begun = Instant::now();
    while http.get("/health/revocation").await.status != 200 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the log does not recover"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(http.me(&second).await.status, 200);
    assert_eq!(http.revoke(C1, &second).await.status, 200);
    assert_eq!(http.me(&second).await.status, 401);
    server.wait_for_log("the log of revocations cannot be written");
    server.wait_for_log("can be written again");
    server.kill();

    let server = Server::start(&data);
    let http = Http::to(server.url(""));
    for dead in [&first, &second] {
        assert_eq!(http.me(dead).await.status, 401);
    }
    if let Some(last) = issued.last() {
        assert_eq!(http.me(last).await.status, 200);
    }
}

#[tokio::test]
async fn server_does_not_start_without_its_lost_file() {
    let (_folder, data) = folder();
    Server::start(&data).kill();
    fs::remove_file(&data).unwrap();
    let ended = output(command().env("DATA", &data));
    assert!(!ended.status.success());
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(
        log.starts_with("DATA=") && log.contains("there is no file"),
        "{log}"
    );
    let keys = data.with_extension("keys");
    let step = format!("to begin again without it, remove {}\n", keys.display());
    assert!(log.ends_with(&step), "{log}");
    assert!(!data.exists());
}
