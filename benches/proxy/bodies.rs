//! A body of 1 GiB in each direction.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    api::{self, LARGE},
    cost::load_runtime,
    issuer::Issuer,
    load::{Load, connect, request},
    servers::Kind,
};

const ROUNDS: usize = 5;
const KINDS: [Kind; 2] = [Kind::Bare, Kind::Gateway];
static CHUNK: [u8; 64 << 10] = [b'x'; 64 << 10];

pub(crate) fn measure() {
    let issuer = Issuer::new();
    let runtime = load_runtime();
    // For each server, download and upload: time and CPU time.
    let mut costs: [[Vec<(Duration, Duration)>; 2]; KINDS.len()] = Default::default();
    for round in 0..ROUNDS {
        runtime.block_on(async {
            let api = api::serve().await;
            let token = issuer.token(round);
            for (kind, costs) in KINDS.iter().zip(&mut costs) {
                let server = kind.start(api, &issuer);
                let small = request("GET /accounts?page=1", &token);
                drop(Load::new(&server, small, api::END.as_bytes()).await);
                let [down, up] = costs;
                for (direction, costs) in [(Direction::Down, down), (Direction::Up, up)] {
                    let mut stream = connect(server.address).await;
                    let (begun, before) = (Instant::now(), server.cpu_time());
                    direction.run(&mut stream, &token).await;
                    costs.push((begun.elapsed(), server.cpu_time().saturating_sub(before)));
                }
            }
        });
    }
    println!("\n1 GiB, {ROUNDS} times\n");
    println!(
        "{:<28}{:>10}{:>10}{:>10}{:>10}",
        "", "down s", "CPU s", "up s", "CPU s"
    );
    let [bare, gateway] = costs.map(|both| both.map(|costs| medians(&costs)));
    for (kind, [down, up]) in KINDS.iter().zip([bare, gateway]) {
        let title = kind.title();
        println!(
            "{title:<28}{:>10.2}{:>10.2}{:>10.2}{:>10.2}",
            down.0, down.1, up.0, up.1
        );
    }
    let rates = [0, 1].map(|at| bare[at].0 / gateway[at].0);
    println!(
        "{:<28}{:>10.2}{:>10}{:>10.2}",
        "rate × bare", rates[0], "", rates[1]
    );
}

#[derive(Clone, Copy)]
enum Direction {
    Down,
    Up,
}

impl Direction {
    async fn run(self, stream: &mut TcpStream, token: &str) {
        match self {
            Self::Down => {
                let request = request("GET /large", token);
                stream.write_all(&request).await.expect("the server reads");
                read(stream, LARGE, b"0\r\n\r\n").await;
            }
            Self::Up => {
                let head = request("POST /upload", token);
                let head = String::from_utf8(head).expect("ASCII");
                let head =
                    head.replace("\r\n\r\n", &format!("\r\ncontent-length: {LARGE}\r\n\r\n"));
                stream
                    .write_all(head.as_bytes())
                    .await
                    .expect("the server reads");
                for _ in 0..LARGE / CHUNK.len() as u64 {
                    stream.write_all(&CHUNK).await.expect("the server reads");
                }
                read(stream, 0, api::END.as_bytes()).await;
            }
        }
    }
}

/// Reads a response of at least `length` bytes that ends with `end`.
async fn read(stream: &mut TcpStream, length: u64, end: &[u8]) {
    let mut buffer = vec![0; 256 << 10];
    let mut first = true;
    let mut total = 0;
    loop {
        let read = stream.read(&mut buffer).await.expect("the server responds");
        assert_ne!(read, 0, "the body ends early, after {total} bytes");
        if first {
            assert!(buffer.starts_with(b"HTTP/1.1 200 OK\r\n"), "permitted");
            first = false;
        }
        total += read as u64;
        if total >= length && buffer[..read].ends_with(end) {
            return;
        }
    }
}

/// In seconds.
fn medians(costs: &[(Duration, Duration)]) -> (f64, f64) {
    let median = |part: fn(&(Duration, Duration)) -> Duration| {
        let mut parts: Vec<_> = costs.iter().map(part).collect();
        parts.sort_unstable();
        parts[parts.len() / 2].as_secs_f64()
    };
    (median(|it| it.0), median(|it| it.1))
}
