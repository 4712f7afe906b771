//! How long a request takes at half of the load that the gateway can bear.

use std::time::{Duration, Instant};

use crate::{
    api,
    cost::load_runtime,
    issuer::Issuer,
    load::{Load, request},
    servers::Kind,
};

const KINDS: [Kind; 4] = [
    Kind::Bare,
    Kind::Gateway,
    Kind::NginxAuthRequest,
    Kind::EnvoyJwt,
];
const ROUNDS: usize = 5;
const TIME: Duration = Duration::from_secs(2);
const PROBES: u32 = 32_000;

pub(crate) fn measure() {
    let issuer = Issuer::new();
    let mut taken: [Vec<Duration>; KINDS.len()] = Default::default();
    let mut rates = Vec::new();
    let runtime = load_runtime();
    for round in 0..ROUNDS {
        runtime.block_on(async {
            let api = api::serve().await;
            let request = request("GET /accounts?page=1", &issuer.token(round));
            let mut servers = Vec::new();
            for kind in KINDS {
                let server = kind.start(api, &issuer);
                let load = Load::new(&server, request.clone(), api::END.as_bytes()).await;
                servers.push((server, load));
            }
            // What the gateway can bear.
            let gateway = &mut servers[1].1;
            gateway.send(PROBES).await;
            let begun = Instant::now();
            gateway.send(PROBES).await;
            let rate = f64::from(PROBES) / begun.elapsed().as_secs_f64() / 2.0;
            rates.push(rate);
            for ((_, load), taken) in servers.iter_mut().zip(&mut taken) {
                taken.extend(load.send_at(rate, TIME).await);
            }
        });
    }
    rates.sort_by(f64::total_cmp);
    println!(
        "\na request with a known token, {:.0} per second\n",
        rates[ROUNDS / 2]
    );
    println!(
        "{:<28}{:>10}{:>10}{:>12}{:>12}",
        "", "p50 µs", "p99 µs", "− bare p50", "− bare p99"
    );
    let bare = [50, 99].map(|percent| quantile(&mut taken[0], percent));
    for (kind, taken) in KINDS.iter().zip(&mut taken) {
        let [p50, p99] = [50, 99].map(|percent| quantile(taken, percent));
        let (more50, more99) = (p50 - bare[0], p99 - bare[1]);
        println!(
            "{:<28}{p50:>10.0}{p99:>10.0}{more50:>12.0}{more99:>12.0}",
            kind.title()
        );
    }
}

/// In microseconds.
fn quantile(taken: &mut [Duration], percent: usize) -> f64 {
    taken.sort_unstable();
    1e6 * taken[(taken.len() - 1) * percent / 100].as_secs_f64()
}
