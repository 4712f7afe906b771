//! Streams end with their token: real servers, and clients that others wrote.

mod fixture;
mod sse;
