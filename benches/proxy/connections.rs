//! Many connections that are idle, and many streams that end when their tokens are revoked.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use futures::future::join_all;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::spawn_blocking,
};

use crate::{
    api::{self, EVENT},
    cost::load_runtime,
    issuer::{ISSUER, Issuer, SUBJECT},
    load::{Load, connect, request},
    process::Server,
    servers::{Kind, sidecar},
};

const CONNECTIONS: u32 = 10_000;
/// The gateway has a connection to the API for each stream.
const OPEN_FILES: u64 = 2 * 10_000 + 1_000;

pub(crate) fn measure() {
    let connections = allowed();
    let issuer = Issuer::new();
    load_runtime().block_on(async {
        let server = gateway(&issuer).await;
        let before = server.memory();
        println!(
            "\n{connections} connections to the gateway, which has {} MiB before\n",
            mib(before)
        );

        let mut idle = Vec::new();
        for number in 0..connections {
            let mut stream = connect(server.address).await;
            let request = request("GET /accounts?page=1", &issuer.token(number));
            stream.write_all(&request).await.expect("the server reads");
            read_to(&mut stream, api::END.as_bytes()).await;
            idle.push(stream);
        }
        report(
            &server,
            before,
            connections,
            "idle, after a request with a token of its own",
        );
        drop(idle);
    });
    load_runtime().block_on(async {
        let server = gateway(&issuer).await;
        let before = server.memory();
        let mut streams = Vec::new();
        for number in 0..connections {
            let mut stream = connect(server.address).await;
            let request = request("GET /events", &issuer.token(number));
            stream.write_all(&request).await.expect("the server reads");
            read_to(&mut stream, EVENT.as_bytes()).await;
            streams.push(stream);
        }
        report(
            &server,
            before,
            connections,
            "with an open stream, each with a token of its own",
        );
        cut(&server, streams).await;
    });
}

/// A gateway that has served a request.
async fn gateway(issuer: &Issuer) -> Server {
    let api = api::serve().await;
    let server = Kind::Gateway.start(api, issuer);
    let small = request("GET /accounts?page=1", &issuer.token(0));
    drop(Load::new(&server, small, api::END.as_bytes()).await);
    server
}

/// The limit of open files, raised, and what it allows.
fn allowed() -> u32 {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    // The gateway inherits it. Only root may raise the hard limit.
    let raised = [OPEN_FILES.max(hard), hard]
        .into_iter()
        .find(|limit| setrlimit(Resource::RLIMIT_NOFILE, *limit, *limit).is_ok());
    let limit = raised.expect("the soft limit can be raised");
    u32::try_from(limit.saturating_sub(1_000) / 2).map_or(CONNECTIONS, |it| it.min(CONNECTIONS))
}

async fn read_to(stream: &mut TcpStream, end: &[u8]) {
    let mut read = Vec::new();
    // A chunk ends with its line break.
    while !read.windows(end.len()).any(|part| part == end) {
        let length = stream
            .read_buf(&mut read)
            .await
            .expect("the server responds");
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&read));
    }
}

fn report(server: &Server, before: u64, connections: u32, what: &str) {
    let now = server.memory();
    let each = (now.saturating_sub(before) / u64::from(connections)) >> 10;
    println!("{:>8} MiB, {each} KiB for each: {what}", mib(now));
}

/// Revokes the subject of all tokens, and waits until the last stream has ended.
async fn cut(server: &Server, streams: Vec<TcpStream>) {
    let begun = Instant::now();
    let ended = join_all(streams.into_iter().map(async |mut stream| {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        Instant::now()
    }));
    let socket = server.path("admin.sock");
    let revoked = spawn_blocking(move || {
        let output = Command::new(sidecar())
            .args([
                "revoke",
                "--subject",
                SUBJECT,
                "--issuer",
                ISSUER,
                "--socket",
            ])
            .arg(socket)
            .output()
            .expect("the sidecar runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        Instant::now()
    });
    let (ended, revoked) = tokio::join!(ended, revoked);
    let revoked = revoked.expect("it does not panic");
    let mut late: Vec<_> = ended
        .iter()
        .map(|end| end.saturating_duration_since(revoked))
        .collect();
    late.sort_unstable();
    let millis = |time: Duration| time.as_millis();
    println!(
        "cut: the answer to the order after {} ms; then half of the streams after {} ms, all after {} ms",
        millis(revoked - begun),
        millis(late[late.len() / 2]),
        millis(*late.last().expect("one at least")),
    );
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}
