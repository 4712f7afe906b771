//! Guides: how to mount, operate and observe the layers.
//!
//! * [`mounting_in_axum`]: where the layer goes in an axum application.
//! * [`behind_a_proxy`]: addresses and certificates of clients, limits, and all parts together.
//! * [`spawned_connections`]: errors and lifetimes in `tokio::spawn` with plain hyper.
//!
//! These modules exist in the documentation only.

pub mod behind_a_proxy;
pub mod mounting_in_axum;
pub mod spawned_connections;
