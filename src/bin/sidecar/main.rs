//! The sidecar: one process beside an API, a proxy or an authorization server. It refuses revoked
//! tokens, takes revocations, and learns of those of others.
//!
//! It has no logic of its own: it reads a configuration, and wires the parts of the library.

mod admin;
mod args;
mod attempt;
mod commands;
mod config;
mod cookies;
mod current;
mod demo;
mod failure;
mod files;
mod gateway;
mod health;
mod issuers;
mod keys;
mod lines;
mod listeners;
mod listening;
mod logging;
mod metrics;
mod notify;
mod on_revoke;
mod orders;
mod out;
mod pages;
mod parts;
mod process;
mod profiles;
mod respond;
mod revocation;
mod rights;
mod run;
mod shared;
mod sightings;
mod signals;
mod source;
mod store;
mod token_endpoint;
mod tokens;
mod verify;
mod warnings;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Command, CommandLine};
use failure::Failure;

fn main() -> ExitCode {
    // clap ends the process with 2 if the command line is wrong.
    let line = CommandLine::parse();
    process::harden();
    match dispatch(line) {
        Ok(code) => code,
        Err(failure) => failure.print(),
    }
}

fn dispatch(line: CommandLine) -> Result<ExitCode, Failure> {
    if line.print_default {
        out::print(config::DEFAULT);
        return Ok(ExitCode::SUCCESS);
    }
    if line.check {
        // Services are made, which need a runtime to exist.
        let (config, origins) = in_runtime(async { attempt::check(&line.source) })?;
        return Ok(report(origins.lines(&rights::missing(&config))));
    }
    match line.command {
        None => in_runtime(run::run(line.source)).map(|()| ExitCode::SUCCESS),
        Some(Command::Demo) => in_runtime(demo::run()).map(|()| ExitCode::SUCCESS),
        Some(command) => in_runtime(commands::run(command)),
    }
}

/// The configuration is valid, but the start may lack something here.
fn report(missing: Vec<String>) -> ExitCode {
    if missing.is_empty() {
        out::line("the configuration is valid");
        return ExitCode::SUCCESS;
    }
    let lines = missing.into_iter().map(|line| {
        Failure::Start(format!(
            "the configuration is valid, but the start would fail here: {line}"
        ))
    });
    for line in lines {
        line.print();
    }
    ExitCode::FAILURE
}

fn in_runtime<T>(program: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::Start(format!("no runtime: {error}")))?;
    let ended = runtime.block_on(program);
    // A thread that blocks must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(100));
    ended
}
