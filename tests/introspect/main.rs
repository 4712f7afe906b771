//! What is known of a token: JWTs, tokens of this server, and tokens of another server.

#[path = "../fixture/authorization_server.rs"]
mod authorization_server;

mod custom_claims;
mod issued;
mod jwt;
mod not_valid_now;
mod upstream;
