//! The layer around a service: the Tower contract, real connections, several key spaces, and what a
//! request that passes costs.

mod allocations;
mod by_hint;
mod contract;
mod spawned;
mod wire;
