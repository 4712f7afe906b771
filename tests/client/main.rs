//! How clients authenticate, at the real endpoint: one client for each method.

mod assertion;
mod assertion_documents;
mod attestation;
mod authority;
mod certificate;
mod certificate_documents;
mod certificate_fields;
mod certificate_subject;
mod fixture;
mod jwks_uri;
mod metadata;
mod offer;
mod registration;
mod self_signed;
mod tls;
