//! A log that several nodes share, on real servers.

#[path = "../fixture/events.rs"]
mod events;
#[path = "../fixture/memory.rs"]
mod memory;
#[path = "../fixture/port.rs"]
mod port;
#[path = "../fixture/postgres/mod.rs"]
mod postgres;
#[path = "../fixture/recorder.rs"]
mod recorder;
#[path = "../fixture/redis/mod.rs"]
mod redis;

mod acks;
mod close;
mod failover;
mod files;
mod hops;
mod issued;
mod journal;
mod leaves;
mod mirror;
mod nodes;
mod on_redis;
mod outage;
mod proxy;
mod relays;
mod replay;
mod series;
