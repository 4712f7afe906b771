//! `JwtTokens`: which tokens are genuine, how they are read, and which records are written.

mod accepted;
mod allocations;
mod cached;
mod discovered;
pub(crate) mod fixture;
mod products;
mod published;
mod record;
mod refused;
mod remote;
mod series;
mod server;
mod settled;
mod spelling;
