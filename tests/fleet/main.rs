//! A log that several nodes share, in a real PostgreSQL server.

#[path = "../fixture/postgres/mod.rs"]
mod postgres;

mod failover;
mod hops;
mod leaves;
mod nodes;
mod outage;
mod relays;
