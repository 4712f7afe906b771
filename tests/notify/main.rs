//! Telling issuers about orders.

mod keycloak;
mod orders;
#[path = "../fixture/receiver.rs"]
mod receiver;
mod webhook;
