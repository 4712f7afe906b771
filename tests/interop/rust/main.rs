//! Software that others wrote, with the library: the `oauth2` crate against the example authorization
//! server, WebSockets by axum and tungstenite, the compression of tower-http, and the library of Standard
//! Webhooks.
//!
//! `tests/run` builds the example first. To run these tests alone:
//!
//! ```sh
//! cargo build --example authorization_server
//! cargo test --manifest-path tests/interop/rust/Cargo.toml --target-dir target
//! ```

#[path = "../../enforce/streams/aborted.rs"]
mod aborted;
mod by_axum;
mod client;
mod compression;
#[path = "../../enforce/streams/fixture.rs"]
mod fixture;
#[path = "../../server/http.rs"]
mod http;
mod https;
#[path = "../../server/process.rs"]
mod process;
#[path = "../../fixture/receiver.rs"]
mod receiver;
#[path = "../../server/tls.rs"]
mod tls;
mod webhook;
mod websocket;
