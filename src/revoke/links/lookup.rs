//! What do the links know of a refresh token?

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use tower::Service;

use super::{
    Links,
    family::{Family, FamilyId, TokenName, own_selector},
    tables::{self, Found},
};
use crate::{
    introspect::Introspection,
    log::{LogError, NumericDate},
    token::Secret,
};

impl Links {
    /// Returns the introspection of a refresh token, revoked or not. `None` if no link knows it, and
    /// if records could not revoke every access token of it.
    ///
    /// It reads the file on the calling thread.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read.
    pub fn find(&self, refresh_token: &Secret) -> Result<Option<Introspection>, LogError> {
        let name = self.name(refresh_token);
        let found = self.family(&name)?;
        let known = found.filter(|(_, family)| family.is_coverable());
        Ok(known.map(|(id, family)| family.introspection(id, &name.digest, refresh_token)))
    }

    /// As [`find`](Self::find), and also returns what records could not revoke wholly.
    pub(super) fn find_any(
        &self,
        refresh_token: &Secret,
    ) -> Result<Option<Introspection>, LogError> {
        let name = self.name(refresh_token);
        let found = self.family(&name)?;
        Ok(found.map(|(id, family)| family.introspection(id, &name.digest, refresh_token)))
    }

    fn family(&self, name: &TokenName) -> Result<Option<(FamilyId, Box<Family>)>, LogError> {
        let key = self.log.key();
        let found = self
            .log
            .read(|database| tables::find(database, key, &name.digest))?;
        let now = NumericDate::now().seconds();
        Ok(match found {
            Found::Family(id, family) if family.expires > now => Some((id, family)),
            Found::Family(..) | Found::Nothing | Found::Damaged => None,
        })
    }

    pub(super) fn name(&self, token: &Secret) -> TokenName {
        TokenName {
            digest: self.log.key().digest(token.expose().as_bytes()),
            selector: own_selector(token),
        }
    }
}

impl Service<Secret> for Links {
    type Response = Option<Introspection>;
    type Error = LogError;
    type Future = Ready<Result<Option<Introspection>, LogError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        ready(self.find(&token))
    }
}
