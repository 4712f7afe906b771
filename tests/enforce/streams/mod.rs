//! Streams end with their token: real servers, and clients of other projects.

mod aborted;
mod connect;
mod download;
mod endless;
mod fixture;
mod forgotten;
mod grpc;
mod idle;
mod sse;
