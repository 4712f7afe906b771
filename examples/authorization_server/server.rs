//! The state that all endpoints share.

use std::{sync::Arc, time::Duration};

use tower_revocation::{
    client::{attestation::Challenges, registry::Registry},
    enforce::Index,
    introspect::{ByFormat, issued::IssuedTokens, jwt::JwtTokens},
};

use crate::{clients::Authenticator, config::AccessTokens, jwt::Signer, store::Store};

pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(60);
pub(crate) const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);
pub(crate) const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Knows the tokens of both formats, whichever format new tokens have.
pub(crate) type Introspect = ByFormat<JwtTokens, IssuedTokens>;

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) issuer: Arc<str>,
    pub(crate) clients: Registry,
    pub(crate) authenticator: Authenticator,
    pub(crate) challenges: Challenges,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) signer: Arc<Signer>,
    pub(crate) tokens: IssuedTokens,
    pub(crate) introspect: Introspect,
    pub(crate) index: Index,
    pub(crate) log: Store,
}
