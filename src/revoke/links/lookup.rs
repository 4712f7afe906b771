//! What do the links know of a refresh token?

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use tower::Service;

use super::{
    Links,
    family::{TokenName, own_selector},
    tables::{self, Found},
};
use crate::{
    introspect::{Introspected, Introspection, Reason},
    log::{LogError, NumericDate},
    token::Secret,
};

/// What the links know of a refresh token.
pub(super) enum Linked {
    /// Records can revoke it, and every access token of it.
    Wholly(Introspection),
    /// Records would miss an access token of it.
    Partly(Introspection),
    /// Its link cannot be read.
    Damaged,
    No,
}

impl From<Linked> for Introspected {
    fn from(linked: Linked) -> Self {
        match linked {
            Linked::Wholly(known) => Self::Token(known),
            Linked::Partly(known) => Self::unhandled(Reason::LacksSelector, known.exp),
            Linked::Damaged => Self::unhandled(Reason::Unrecognised, None),
            Linked::No => Self::Unrecognised(Reason::Unrecognised),
        }
    }
}

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
        Ok(match self.look_up(refresh_token)? {
            Linked::Wholly(known) => Some(known),
            Linked::Partly(_) | Linked::Damaged | Linked::No => None,
        })
    }

    /// As [`find`](Self::find), and also returns what records could not revoke wholly.
    pub(super) fn find_any(
        &self,
        refresh_token: &Secret,
    ) -> Result<Option<Introspection>, LogError> {
        Ok(match self.look_up(refresh_token)? {
            Linked::Wholly(known) | Linked::Partly(known) => Some(known),
            Linked::Damaged | Linked::No => None,
        })
    }

    pub(super) fn look_up(&self, refresh_token: &Secret) -> Result<Linked, LogError> {
        let name = self.name(refresh_token);
        let key = self.log.key();
        let found = self
            .log
            .read(|database| tables::find(database, key, &name.digest))?;
        let now = NumericDate::now().seconds();
        Ok(match found {
            Found::Family(id, family) if family.expires > now => {
                let known = family.introspection(id, &name.digest, refresh_token);
                if family.is_coverable() {
                    Linked::Wholly(known)
                } else {
                    Linked::Partly(known)
                }
            }
            Found::Family(..) | Found::Nothing => Linked::No,
            Found::Damaged => Linked::Damaged,
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
    type Response = Introspected;
    type Error = LogError;
    type Future = Ready<Result<Introspected, LogError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        ready(self.look_up(&token).map(Introspected::from))
    }
}
