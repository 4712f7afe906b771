//! A grant: one authorization.

use super::random::random;
use crate::log::Selector;

/// A grant: one authorization of a client, by a resource owner or for the client itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The name of the grant. No two grants have the same name.
    pub id: String,
    /// The client that holds the grant.
    pub client_id: String,
    /// The resource owner. `None` if the client acts for itself.
    pub sub: Option<String>,
    /// The scope of the grant.
    pub scope: Option<String>,
}

impl Grant {
    /// A grant to a client, under a name of your own.
    ///
    /// **Never use a name twice**: once a grant is revoked and all its tokens have expired, its
    /// record is removed, and the name would be valid again. [`random`](Self::random) never repeats
    /// a name.
    pub fn new(id: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            client_id: client_id.into(),
            sub: None,
            scope: None,
        }
    }

    /// A grant to a client, under a random name.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    pub fn random(client_id: impl Into<String>) -> Self {
        Self::new(random(), client_id)
    }

    /// Sets the resource owner.
    #[must_use]
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        self.sub = Some(sub.into());
        self
    }

    /// Sets the scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// The client whose quota of the log's queue is used.
    pub(super) fn client(&self, namespace: &Namespace) -> Selector {
        let client = Selector::client(&self.client_id);
        match &namespace.tenant {
            Some(tenant) => client.within(tenant),
            None => client,
        }
    }

    /// Every selector whose record revokes the grant.
    pub(super) fn selectors(&self, namespace: &Namespace) -> impl Iterator<Item = Selector> {
        let sub = self.sub.as_deref();
        let named = [
            Some(Selector::grant(&self.id)),
            sub.map(|sub| Selector::subject_and_client(sub, &self.client_id)),
            sub.map(Selector::subject),
            Some(Selector::client(&self.client_id)),
        ];
        let named = named.into_iter().flatten();
        named
            .map(|selector| match &namespace.tenant {
                Some(tenant) => selector.within(tenant),
                None => selector,
            })
            .chain(namespace.issuer.as_deref().map(Selector::issuer))
    }
}

/// The issuer and the tenant of all tokens of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Namespace {
    pub(super) issuer: Option<String>,
    pub(super) tenant: Option<String>,
}
