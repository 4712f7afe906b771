//! One authorization.

use super::store;
use crate::log::Selector;

/// One authorization: who may do what, in whose name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// Its name, unlike that of any other grant.
    pub id: String,
    /// The client that holds it.
    pub client_id: String,
    /// The resource owner, unless the client acts for itself.
    pub sub: Option<String>,
    /// What it is good for.
    pub scope: Option<String>,
}

impl Grant {
    /// A grant under a name of your own, to a client.
    ///
    /// **Never use a name again**: once a grant is revoked and every token of it has expired, its
    /// record is forgotten, and the name would be good once more. [`random`](Self::random) never
    /// does.
    pub fn new(id: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            client_id: client_id.into(),
            sub: None,
            scope: None,
        }
    }

    /// A grant under a random name, to a client.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    pub fn random(client_id: impl Into<String>) -> Self {
        Self::new(store::random(), client_id)
    }

    /// The resource owner.
    #[must_use]
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        self.sub = Some(sub.into());
        self
    }

    /// What it is good for.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Whose quota of the log's queue it takes.
    pub(super) fn client(&self, realm: &Realm) -> Selector {
        let client = Selector::client(&self.client_id);
        match &realm.tenant {
            Some(tenant) => client.within(tenant),
            None => client,
        }
    }

    /// Everything that could have revoked it.
    pub(super) fn selectors(&self, realm: &Realm) -> impl Iterator<Item = Selector> {
        let sub = self.sub.as_deref();
        let named = [
            Some(Selector::grant(&self.id)),
            sub.map(|sub| Selector::subject_and_client(sub, &self.client_id)),
            sub.map(Selector::subject),
            Some(Selector::client(&self.client_id)),
        ];
        let named = named.into_iter().flatten();
        named
            .map(|selector| match &realm.tenant {
                Some(tenant) => selector.within(tenant),
                None => selector,
            })
            .chain(realm.issuer.as_deref().map(Selector::issuer))
    }
}

/// In whose name all the tokens of a file are issued.
#[derive(Clone, Debug, Default)]
pub(super) struct Realm {
    pub(super) issuer: Option<String>,
    pub(super) tenant: Option<String>,
}
