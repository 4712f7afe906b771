//! The examples, each in a separate process. Most tests are about the authorization server.

mod client_addr;
mod config;
mod disk;
mod events;
mod examples;
mod fleet;
mod gateway;
mod greeting;
mod http;
mod journey;
mod jwt;
mod kill;
mod log;
mod methods;
#[path = "../fixture/port.rs"]
mod port;
mod process;
mod programs;
mod readme;
mod refused;
mod shutdown;
mod tls;
