//! The proxy, in front of APIs of every protocol.

mod bodies;
mod empty;
mod failures;
mod fixture;
mod floods;
mod full;
mod grpc;
mod hosts;
mod idle;
mod in_step;
mod options;
#[path = "../fixture/port.rs"]
mod port;
mod raw;
mod streams;
mod tls;
mod trailers;
mod trusted;
mod unix;
mod uploads;
mod versions;
mod websocket;
mod windows;
