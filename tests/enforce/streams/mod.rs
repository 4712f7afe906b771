//! Streams end with their token: real servers, and clients that others wrote.

mod connect;
mod download;
mod endless;
mod fixture;
mod grpc;
mod idle;
mod severed;
mod sse;
mod websocket;
