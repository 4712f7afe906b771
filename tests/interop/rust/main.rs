//! The `oauth2` crate against the example authorization server.
//!
//! `tests/run` builds the example first. To run these tests alone:
//!
//! ```sh
//! cargo build --example authorization_server
//! cargo test --manifest-path tests/interop/rust/Cargo.toml --target-dir target
//! ```

mod client;
#[path = "../../server/http.rs"]
mod http;
mod https;
#[path = "../../server/process.rs"]
mod process;
#[path = "../../server/tls.rs"]
mod tls;
