//! Keys for the verification of signatures.

#[path = "../fixture/port.rs"]
mod port;
mod remote_keys;
