//! The decision for proxies of others, on every wire, with the real proxies.
//!
//! The proxies start with the files of `examples/proxies`. A missing proxy skips its tests.

mod calls;
mod cells;
mod client;
mod envoy;
mod ext_authz;
#[path = "../fixture/port.rs"]
mod port;
mod process;
mod programs;
mod proxies;
mod routes;
mod service;
mod sidecar;
mod wire;
mod world;
