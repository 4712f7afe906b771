//! Revoked tokens are refused, and their streams end.
//!
//! `gauges.rs` is a test binary of its own: see `Cargo.toml`.

mod answers;
mod contract;
mod extension;
mod fixture;
mod freshness;
mod grpc;
mod index;
mod judgement;
mod observe;
mod own_table;
mod scope;
mod streams;
