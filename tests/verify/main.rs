//! The decision for proxies of others, on every wire, with the real proxies.
//!
//! The proxies start with the files of `examples/proxies`. A missing proxy skips its tests.

mod caddy;
mod calls;
mod cells;
mod client;
mod envoy;
mod ext_authz;
mod haproxy;
mod nginx;
#[path = "../fixture/port.rs"]
mod port;
mod process;
mod routes;
mod service;
mod traefik;
mod wire;
mod world;
