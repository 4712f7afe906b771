//! The example authorization server, as a process of its own.

mod config;
mod disk;
mod http;
mod journey;
mod kill;
mod process;
mod readme;
mod shutdown;
