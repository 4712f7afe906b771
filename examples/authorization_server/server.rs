//! What every endpoint works on.

use std::{sync::Arc, time::Duration};

use tower_revocation::{
    client::{attestation::Challenges, registry::Registry},
    enforce::Index,
    introspect::issued::IssuedTokens,
    log::EmbeddedLog,
};

use crate::clients::Authenticator;

pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(60);
pub(crate) const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);
pub(crate) const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) issuer: Arc<str>,
    pub(crate) clients: Registry,
    pub(crate) authenticator: Authenticator,
    pub(crate) challenges: Challenges,
    pub(crate) tokens: IssuedTokens,
    pub(crate) index: Index,
    pub(crate) log: EmbeddedLog,
}
