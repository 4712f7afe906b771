//! Guides: how to mount, operate and observe the layers, and how to use them with a product.
//!
//! * [`mounting_in_axum`]: where the layer goes in an axum application.
//! * [`behind_a_proxy`]: addresses and certificates of clients, limits, and all parts together.
//! * [`spawned_connections`]: errors and lifetimes in `tokio::spawn` with plain hyper.
//! * [`operations`]: health, sweeping, size, backup, restart, full disk, upgrade.
//! * [`fleet`]: several processes with one log, in `PostgreSQL`, Redis, Valkey or behind a feed.
//! * [`sidecar`]: `revocation-sidecar`, for those who run somebody else's API, proxy or server.
//! * [`observability`]: events, series, alerts, a Grafana dashboard.
//! * [`migrating_from_a_denylist`]: from a denylist of your own to this crate.
//! * Access tokens of a product: [`keycloak`], [`auth0`], [`cognito`], [`okta`], [`entra`],
//!   [`wso2`].
//!
//! These modules exist in the documentation only.

pub mod auth0;
pub mod behind_a_proxy;
pub mod cognito;
pub mod entra;
pub mod fleet;
pub mod keycloak;
pub mod migrating_from_a_denylist;
pub mod mounting_in_axum;
pub mod observability;
pub mod okta;
pub mod operations;
pub mod sidecar;
pub mod spawned_connections;
pub mod wso2;
