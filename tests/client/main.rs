//! Client authentication: every method, registrations, and the limits on guesses.

mod assertion;
mod assertion_documents;
mod attestation;
mod authority;
mod certificate;
mod certificate_documents;
mod certificate_fields;
mod certificate_subject;
mod certificates;
mod fixture;
mod guesses;
mod jwks_uri;
mod limiter;
mod metadata;
mod passwords;
#[path = "../fixture/port.rs"]
mod port;
mod registration;
mod registry;
mod registry_documents;
mod reloading;
mod replay;
mod self_signed;
mod supported_methods;
mod tls;
