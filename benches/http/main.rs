//! The CPU time that a server spends on one revocation over HTTP/1, through the layer, through
//! handlers written by hand, and without any work.
//!
//! ```sh
//! cargo bench --bench http                    # all servers
//! cargo bench --bench http -- --example       # the example server, with and without its log
//! cargo bench --bench http -- --serve layer   # one server, for a load generator of your own
//! ```
//!
//! Each server is a process of its own, on the first CPU. The load comes from this process, on the
//! last CPU. Only Linux tells the CPU time of another process.

#[path = "../instructions/by_hand.rs"]
mod by_hand;
mod child;
#[cfg_attr(not(target_os = "linux"), path = "no_cpu.rs")]
mod cpu;
mod example;
#[path = "../instructions/handler.rs"]
mod handler;
#[path = "../instructions/layered.rs"]
mod layered;
mod load;
mod rounds;
#[path = "../instructions/rules.rs"]
mod rules;
mod serve;
#[path = "../instructions/server.rs"]
mod server;
mod table;
mod token;

use std::env;

use child::Child;
use load::BENCH_CLIENT;
use rounds::Kind;
use serve::Variant;

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<_> = env::args().skip(1).filter(|it| it != "--bench").collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => compare(),
        ["--example"] => example::compare(),
        ["--serve", name] => match Variant::ALL.into_iter().find(|it| it.name() == name) {
            Some(variant) => serve::run(variant),
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() {
    let names = Variant::ALL.map(Variant::name).join(" | ");
    eprintln!("arguments: none, or --example, or --serve {names}");
    std::process::exit(1);
}

fn compare() {
    for kind in [Kind::Unknown, Kind::Known, Kind::Late] {
        let start = |_| Variant::ALL.map(|variant| (Child::serve(variant), BENCH_CLIENT));
        let costs = rounds::run(kind, start);
        let names = Variant::ALL.map(Variant::title);
        println!("\n{}\n", kind.title());
        let references = [
            ("× by hand", Variant::ByHand as usize),
            ("× … with time-out", Variant::ByHandInTime as usize),
            ("× axum", Variant::Axum as usize),
            ("× bare", Variant::Bare as usize),
        ];
        table::print(&names, &costs, &references);
    }
}
