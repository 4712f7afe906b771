//! The CPU time of one request with a token that was seen before.

use std::time::Instant;

use crate::{
    api, cpu,
    issuer::Issuer,
    load::{Load, request},
    process::Server,
    rounds::Cost,
    servers::Kind,
    table,
};

const ROUNDS: usize = 5;
const TURNS: usize = 4;
/// For each turn of each server.
const REQUESTS: u32 = 8_000;

/// Proxies, with the API behind them.
pub(crate) fn gateways() {
    let kinds = [
        Kind::Bare,
        Kind::Gateway,
        Kind::Nginx,
        Kind::NginxAuthRequest,
        Kind::Envoy,
        Kind::EnvoyJwt,
    ];
    println!("\na request with a known token, passed on to an API\n");
    let references = [("× bare", 0), ("× auth_request", 3), ("× jwt_authn", 5)];
    compare(
        kinds,
        "GET /accounts?page=1",
        api::END.as_bytes(),
        &references,
    );
}

/// The decision alone.
pub(crate) fn verify() {
    println!("\na question about a known token, and nothing behind it\n");
    let references = [("× bare", 0)];
    compare(
        [Kind::Hyper, Kind::Verify],
        "GET /verify",
        b"\r\n\r\n",
        &references,
    );
}

fn compare<const SERVERS: usize>(
    kinds: [Kind; SERVERS],
    line: &str,
    end: &'static [u8],
    references: &[(&str, usize)],
) {
    let runtime = load_runtime();
    let issuer = Issuer::new();
    let mut costs = [[Cost::default(); ROUNDS]; SERVERS];
    for round in 0..ROUNDS {
        runtime.block_on(async {
            let api = api::serve().await;
            let mut servers = Vec::new();
            for kind in kinds {
                let server = kind.start(api, &issuer);
                let request = request(line, &issuer.token(round));
                let mut load = Load::new(&server, request, end).await;
                load.send(REQUESTS).await;
                servers.push((server, load));
            }
            for _ in 0..TURNS {
                for ((server, load), costs) in servers.iter_mut().zip(&mut costs) {
                    turn(server, load, &mut costs[round]).await;
                }
            }
        });
    }
    let titles = kinds.map(Kind::title);
    table::print(&titles, &costs, references);
    println!("\n{:<28}{:>12}", "", "requests/s");
    for (title, costs) in titles.iter().zip(&costs) {
        let mut rates = costs.map(|cost| f64::from(cost.requests) / cost.elapsed.as_secs_f64());
        rates.sort_by(f64::total_cmp);
        println!("{title:<28}{:>12.0}", rates[ROUNDS / 2]);
    }
}

async fn turn(server: &Server, load: &mut Load, cost: &mut Cost) {
    let (begun, before) = (Instant::now(), server.cpu_time());
    load.send(REQUESTS).await;
    cost.cpu += server.cpu_time().saturating_sub(before);
    cost.elapsed += begun.elapsed();
    cost.requests += REQUESTS;
}

/// The runtime of the load and of the API, on the last CPU.
pub(crate) fn load_runtime() -> tokio::runtime::Runtime {
    cpu::pin_to_last();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime")
}
