//! The examples, each as a process of its own; the authorization server above all.

mod client_addr;
mod config;
mod disk;
mod events;
mod examples;
mod gateway;
mod greeting;
mod http;
mod journey;
mod jwt;
mod kill;
mod methods;
mod process;
mod programs;
mod readme;
mod refused;
mod shutdown;
mod tls;
