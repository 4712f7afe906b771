//! The HTTPS client that asks other servers: for keys, for introspection, to forward revocations.

mod address;
mod client;
mod error;
mod resolver;
mod settings;
mod tls;
mod uri;

pub use self::resolver::Resolve;
pub(crate) use self::{
    client::HttpClient,
    error::{OutboundError, OutboundErrorKind},
    settings::ConnectionSettings,
    tls::parse_roots,
    uri::{check_client_uri, parse_client_uri, parse_operator_uri},
};
