//! The HTTPS client that asks other servers: for keys, for introspection, to forward revocations.

mod address;
mod connector;
mod error;
mod resolver;
mod settings;
mod tls;
mod uri;

pub use self::resolver::Resolve;
pub(crate) use self::{
    connector::Connector,
    error::{Failure, Fault},
    settings::Reach,
    tls::roots_of,
    uri::{checked_uri, operator_uri, registered_uri},
};
