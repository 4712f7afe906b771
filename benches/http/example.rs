//! The example server, without and with its log.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use crate::{
    child::Child,
    cpu,
    load::{BENCH_CLIENT, Client, Load},
    rounds::{self, Kind, Turns},
    serve::Variant,
    table,
};

/// A client of the demo.
const CLIENT: Client = Client {
    authorization: "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    id: "s6BhdRkqt3",
};

/// Only with unknown tokens: the example server knows only tokens that it has issued.
pub(crate) fn compare() {
    build();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    cpu::pin_to_first();
    let layer = Child::serve(Variant::LayerWithTimer);
    let mut servers = ["off", "info"].map(|levels| start(levels, &folder.path().join(levels)));
    cpu::pin_to_last();
    // Somebody reads the log, as a supervisor does.
    for mut log in servers.iter_mut().filter_map(Child::take_stderr) {
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
    }

    let [without, with] = &servers;
    let mut turns = [
        Turns::new(&layer, Load::new(layer.address(), BENCH_CLIENT)),
        Turns::new(without, Load::new(without.address(), CLIENT)),
        Turns::new(with, Load::new(with.address(), CLIENT)),
    ];
    let costs = rounds::run(&mut turns, Kind::Unknown);
    let names = [
        Variant::LayerWithTimer.title(),
        "the example server, no log",
        "… with its log, to a pipe",
    ];
    println!("\n{}\n", Kind::Unknown.title());
    table::print(&names, &costs, &[("× layer", 0), ("× no log", 1)]);
}

/// Builds the example, as its users do.
fn build() {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--example"])
        .arg("authorization_server")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env_remove("CARGO_TARGET_DIR")
        .status();
    assert!(status.is_ok_and(|status| status.success()), "it builds");
}

fn start(levels: &str, data: &Path) -> Child {
    let path = "/../target/release/examples/authorization_server";
    let mut command = Command::new(env!("CARGO_MANIFEST_DIR").to_owned() + path);
    command
        .env_clear()
        .env("LISTEN", "127.0.0.1:0")
        .env("DATA", data.with_extension("redb"))
        .env("RUST_LOG", levels)
        .stderr(Stdio::piped());
    Child::start(&mut command)
}
