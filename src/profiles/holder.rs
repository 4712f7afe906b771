//! Callers that authenticate by a token of their own.

use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

use crate::{
    enforce::{Freshness, Index},
    error::{Error, ErrorKind},
    introspect::{Introspected, Introspection},
    log::NumericDate,
    refusal::Refusal,
    token::Secret,
};

/// Who has which token.
#[derive(Clone)]
pub(super) struct Holders {
    introspect: BoxCloneSyncService<Secret, Introspected, BoxError>,
    index: Index,
}

impl Holders {
    pub(super) fn new<I>(introspect: I, index: Index) -> Self
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
        I::Error: Into<BoxError>,
        I::Future: Send + 'static,
    {
        let introspect = introspect.map_err(Into::into).map_response(Into::into);
        Self {
            introspect: BoxCloneSyncService::new(introspect),
            index,
        }
    }

    /// What is known of a token. `None` if it is certainly none of this server.
    pub(super) async fn introspect(&self, token: Secret) -> Result<Option<Introspection>, Error> {
        let introspected = self.introspect.clone().oneshot(token).await;
        Ok(introspected.map_err(Error::from_service)?.into_token())
    }

    /// What is known of the token of a caller, if it is live.
    pub(super) async fn live(&self, token: Secret) -> Result<Introspection, Error> {
        let token = self.introspect(token).await?.ok_or_else(refused)?;
        let now = NumericDate::now();
        if token.revoked || self.index.covers(&token) || token.is_expired(now) {
            return Err(refused());
        }
        if self.index.freshness() != Freshness::Fresh {
            return Err(Error::new(ErrorKind::Unavailable).caused_by("the index is not fresh"));
        }
        let is_live = self.index.is_live(&token, now);
        is_live.then_some(token).ok_or_else(refused)
    }
}

pub(super) fn refused() -> Error {
    Error::refused(Refusal::Unspecified)
}
