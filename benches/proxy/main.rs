//! What the sidecar costs: of CPU for a request, of time, of throughput for large bodies, and of memory
//! for open connections. It is compared with a bare proxy and with the proxies of others.
//!
//! ```sh
//! cargo bench --bench proxy                     # everything
//! cargo bench --bench proxy -- cost             # one of: cost, verify, latency, bodies, connections
//! ```
//!
//! Each server is a process of its own, on the first CPU. The load and the API are this process, on the
//! last CPU. Needs Linux, nginx of Debian, and Envoy, which `tests/verify/install` installs.

mod api;
mod bare;
mod bodies;
mod connections;
mod cost;
#[path = "../http/cpu.rs"]
mod cpu;
mod issuer;
mod latency;
mod load;
mod process;
mod rounds;
mod servers;
#[path = "../http/table.rs"]
mod table;

use std::env;

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<_> = env::args().skip(1).filter(|it| it != "--bench").collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => {
            cost::gateways();
            cost::verify();
            latency::measure();
            bodies::measure();
            connections::measure();
        }
        ["cost"] => cost::gateways(),
        ["verify"] => cost::verify(),
        ["latency"] => latency::measure(),
        ["bodies"] => bodies::measure(),
        ["connections"] => connections::measure(),
        ["--serve", "proxy", address, api] => bare::proxy(address, api),
        ["--serve", "hyper", address] => bare::hyper(address),
        _ => {
            eprintln!("arguments: none, or cost | verify | latency | bodies | connections");
            std::process::exit(1);
        }
    }
}
