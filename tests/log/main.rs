//! The log of revocations: its contract, its file, and its limits.
//!
//! `queue.rs` and `failures.rs` are test binaries of their own: see `Cargo.toml`.

mod ceiling;
mod contract;
mod files;
mod full;
