//! Self-contained access tokens: which are genuine, what they are called, and what is recorded of
//! them.

mod accepted;
mod allocations;
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
