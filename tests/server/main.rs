//! The examples, each as a process of its own; the authorization server above all.

mod config;
mod disk;
mod examples;
mod http;
mod journey;
mod kill;
mod methods;
mod oauth2_client;
mod process;
mod readme;
mod shutdown;
mod tls;
