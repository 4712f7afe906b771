//! The enforcement layer refuses revoked tokens and ends their streams.
//!
//! `gauges.rs` is a test binary of its own: see `Cargo.toml`.

mod auto_traits;
mod cached;
mod confirm;
mod contract;
mod extension;
mod fixture;
mod freshness;
mod grpc;
mod index;
mod kept;
mod observe;
mod own_table;
#[path = "../fixture/recorder.rs"]
mod recorder;
mod responses;
mod revoked_again;
mod scope;
mod streams;
mod verdicts;
