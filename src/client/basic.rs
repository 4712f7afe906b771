//! HTTP Basic, which clients write in two ways.

use crate::{form::decode, token::Secret};

/// The octets of HTTP Basic, and the `client_id` that stood beside them in the body.
///
/// Clients disagree about what the octets mean. RFC 6749 §2.3.1 has both halves form-encoded; many
/// send them raw. Only the client's registration can tell, so both readings are offered. Each one
/// is `None` where it cannot be made, where its client identifier is empty, and where a `client_id`
/// in the body is not equal to it **byte for byte**.
///
/// ```
/// use tower_revocation::client::Basic;
///
/// let basic = Basic::new("plus%3A:a%2Bb").unwrap();
/// let (id, secret) = basic.form_decoded().unwrap();
/// assert_eq!((id.as_str(), secret.expose()), ("plus:", "a+b"));
/// let (id, secret) = basic.raw().unwrap();
/// assert_eq!((id.as_str(), secret.expose()), ("plus%3A", "a%2Bb"));
/// ```
#[derive(Clone, Debug)]
pub struct Basic {
    user_pass: Secret,
    colon: usize,
    client_id: Option<String>,
}

impl Basic {
    /// Takes `user-id:password` (RFC 7617 §2), or nothing if there is no colon or nothing before
    /// it.
    #[must_use]
    pub fn new(user_pass: impl Into<Secret>) -> Option<Self> {
        let user_pass = user_pass.into();
        let colon = user_pass.expose().find(':').filter(|&colon| colon > 0)?;
        Some(Self {
            user_pass,
            colon,
            client_id: None,
        })
    }

    /// The same octets, with the `client_id` that the body names.
    pub(super) fn beside(mut self, client_id: String) -> Self {
        self.client_id = Some(client_id);
        self
    }

    /// Both halves form-decoded, strictly (RFC 6749 §2.3.1).
    #[must_use]
    pub fn form_decoded(&self) -> Option<(String, Secret)> {
        let (id, secret) = self.halves();
        self.beside_body(decode(id)?, || decode(secret))
    }

    /// Both halves as they are. The secret begins after the first colon.
    #[must_use]
    pub fn raw(&self) -> Option<(String, Secret)> {
        let (id, secret) = self.halves();
        self.beside_body(id.to_owned(), || Some(secret.to_owned()))
    }

    /// The bytes as they were sent, and the `client_id` that stood beside them.
    #[cfg(feature = "upstream")]
    pub(crate) fn presented(&self) -> (&Secret, Option<&str>) {
        (&self.user_pass, self.client_id.as_deref())
    }

    fn halves(&self) -> (&str, &str) {
        let (id, secret) = self.user_pass.expose().split_at(self.colon);
        (id, &secret[1..])
    }

    fn beside_body(
        &self,
        id: String,
        secret: impl FnOnce() -> Option<String>,
    ) -> Option<(String, Secret)> {
        if self
            .client_id
            .as_ref()
            .is_some_and(|client_id| *client_id != id)
        {
            return None;
        }
        Some((id, Secret::from(secret()?)))
    }

    /// Whether neither reading is the client that the body names.
    pub(super) fn contradicts(&self, client_id: &str) -> bool {
        let (id, _) = self.halves();
        id != client_id && decode(id).as_deref() != Some(client_id)
    }

    /// Whether one reading is what the body says too. Both come from the same peer, so time tells
    /// it nothing.
    pub(super) fn repeats(&self, client_id: &str, client_secret: &Secret) -> bool {
        let same = |(id, secret): (String, Secret)| {
            id == client_id && secret.expose() == client_secret.expose()
        };
        self.form_decoded().is_some_and(same) || self.raw().is_some_and(same)
    }
}
