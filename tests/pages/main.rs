//! The pages of operators: what a server sends, and what a browser shows.

mod browser;
mod client;
mod forged;
mod headers;
mod injected;
mod journey;
mod own;
mod own_journey;
mod seen;
mod sessions;
mod sign_in;
mod spa;
mod trail;
mod world;
