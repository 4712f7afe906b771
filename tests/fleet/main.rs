//! A log that several nodes share, in a real PostgreSQL server.

#[path = "../fixture/postgres/mod.rs"]
mod postgres;
#[path = "../fixture/recorder.rs"]
mod recorder;

mod failover;
mod hops;
mod leaves;
mod nodes;
mod outage;
mod relays;
mod series;
