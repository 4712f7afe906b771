//! Where the layer goes in an axum application.
//!
//! [`RevocationLayer`](crate::RevocationLayer) compares `uri().path()` with its own path. axum
//! decides which requests the layer sees, and which path they have.
//!
//! **Put the layer around the whole application**, so that no route is beside it:
//! `layer.layer(router)`. `axum::serve` needs a router. Make the service the only part of another
//! router: `Router::new().fallback_service(layer.layer(router))`.
//!
//! These also work:
//!
//! * `router.route(..).layer(layer)`: the layer also applies to axum's default fallback, a 404. This
//!   is the short form for a router that gets no fallback of its own.
//! * `router.fallback(..).layer(layer)`: the router has its fallback before the layer.
//! * `router.nest_service("/oauth", layer.layer(inner))`: the layer sees the path without the
//!   prefix. Configure it with `/revoke`, and it handles `/oauth/revoke`.
//! * `plain.merge(router.fallback(..).layer(layer))`.
//! * `router.route_service("/oauth2/revoke", layer.into_endpoint())`: the endpoint alone, as a
//!   route.
//!
//! **These do not work, and no error says so.** axum calls the layers of a router only for requests
//! for which that router has a route or a fallback:
//!
//! * `router.route_layer(layer)`.
//! * `router.layer(layer).fallback(..)`: the later fallback replaces the one that has the layer.
//! * `router.nest("/oauth", layered)`, if the nested router has neither a fallback nor that route.
//! * `layered.merge(plain)`, if the layered router has no fallback of its own.
