//! Introspection of JWTs, of tokens that this server issued, and of tokens of another server.

#[path = "../fixture/authorization_server.rs"]
mod authorization_server;

mod by_issuer;
mod custom_claims;
#[path = "../fixture/events.rs"]
mod events;
mod issued;
mod jwt;
mod not_valid_now;
#[path = "../fixture/port.rs"]
mod port;
#[path = "../fixture/recorder.rs"]
mod recorder;
mod upstream;
