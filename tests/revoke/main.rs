//! The backends that carry out revocations, and the administration.

#[path = "../fixture/authorization_server.rs"]
mod authorization_server;

mod admin;
mod forward;
mod links;
#[path = "../fixture/port.rs"]
mod port;
mod quota;
mod record;
#[path = "../fixture/recorder.rs"]
mod recorder;
