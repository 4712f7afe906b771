//! What every endpoint works on.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tower_revocation::{
    client::{
        limit::LimitFailures,
        registry::{ClientAuthenticator, Registry},
    },
    enforce::Index,
    introspect::issued::IssuedTokens,
    log::EmbeddedLog,
};

pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(60);
pub(crate) const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);
pub(crate) const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Who asks: one for all endpoints, so that an assertion that was used at one is used up at all, and
/// failures count together.
pub(crate) type Authenticator = LimitFailures<ClientAuthenticator<Registry>>;

#[derive(Clone)]
pub(crate) struct Server {
    /// What the metadata say.
    pub(crate) metadata: Arc<Map<String, Value>>,
    pub(crate) issuer: Arc<str>,
    pub(crate) clients: Registry,
    pub(crate) authenticator: Authenticator,
    pub(crate) tokens: IssuedTokens,
    pub(crate) index: Index,
    pub(crate) log: EmbeddedLog,
}
