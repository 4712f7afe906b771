//! The example server, without and with its log.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use crate::{
    child::Child,
    load::{BENCH_CLIENT, Client},
    rounds::{self, Kind},
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
    let costs = rounds::run(Kind::Unknown, |round| {
        let layer = Child::serve(Variant::LayerWithTimer);
        let [without, with] = ["off", "info"].map(|levels| {
            let mut server = start(levels, &folder.path().join(format!("{levels}-{round}")));
            // Somebody reads the log, as a supervisor does.
            if let Some(mut log) = server.take_stderr() {
                thread::spawn(move || io::copy(&mut log, &mut io::sink()));
            }
            server
        });
        [(layer, BENCH_CLIENT), (without, CLIENT), (with, CLIENT)]
    });
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
