//! Telling issuers about orders.

mod keycloak;
#[path = "../fixture/receiver.rs"]
mod receiver;
mod webhook;
