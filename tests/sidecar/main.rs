//! The binary `revocation-sidecar`, as a process.

mod clients;
mod commands;
mod configuration;
mod demo;
mod gateway;
mod http;
mod issuers;
mod kill;
mod life;
mod links;
mod logs;
mod mistakes;
mod network;
mod on_revoke;
mod operators;
mod orders;
mod pages;
#[path = "../fixture/port.rs"]
mod port;
mod process;
mod profiles;
#[path = "../fixture/receiver.rs"]
mod receiver;
mod reload;
mod revoke;
mod sightings;
mod verify;
mod world;
