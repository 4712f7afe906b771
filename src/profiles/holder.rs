//! Callers that authenticate by a token of their own.

use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

use crate::{
    enforce::{self, Index},
    error::{Error, ErrorKind},
    introspect::{Introspected, Introspection},
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

    /// What is known of the token of a caller, if it is a live access token.
    pub(super) async fn live(&self, token: Secret) -> Result<Introspection, Error> {
        let introspected = self.introspect.clone().oneshot(token).await;
        let token = introspected.map_err(Error::from_service)?.into_token();
        let token = token.ok_or_else(refused)?;
        match enforce::is_live(&self.index, &token) {
            Ok(true) => Ok(token),
            Ok(false) => Err(refused()),
            Err(reason) => Err(Error::new(ErrorKind::Unavailable).caused_by(reason)),
        }
    }
}

pub(super) fn refused() -> Error {
    Error::refused(Refusal::Unspecified)
}
