//! How clients authenticate, at the real endpoint: one client for each method.

mod assertion;
mod attestation;
mod certificate;
mod fixture;
mod jwks_uri;
mod metadata;
mod registration;
mod tls;
