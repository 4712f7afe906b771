//! HTTP Basic credentials, which clients encode in two ways.

use std::borrow::Cow;

use crate::{
    form::{self, decode},
    token::Secret,
};

/// HTTP Basic credentials, and the `client_id` in the body beside them.
///
/// Clients disagree about the encoding. RFC 6749 §2.3.1 requires them to form-encode identifier and
/// secret, but many send them raw. Only the registration of the client can tell, so both readings
/// are available. A reading is `None` if the credentials cannot be decoded, if the client
/// identifier is empty, or if it is not the `client_id` in the body, **byte for byte**.
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
    /// Takes `user-id:password` (RFC 7617 §2). Returns `None` if there is no colon, or nothing
    /// before it.
    #[must_use]
    pub fn new(user_pass: impl Into<Secret>) -> Option<Self> {
        let user_pass = user_pass.into();
        let mut bytes = user_pass.expose().bytes();
        let colon = bytes
            .position(|byte| byte == b':')
            .filter(|&colon| colon > 0)?;
        Some(Self {
            user_pass,
            colon,
            client_id: None,
        })
    }

    /// Adds the `client_id` in the body.
    pub(super) fn with_body_client_id(mut self, client_id: String) -> Self {
        self.client_id = Some(client_id);
        self
    }

    /// Returns identifier and secret, form-decoded strictly (RFC 6749 §2.3.1).
    #[must_use]
    pub fn form_decoded(&self) -> Option<(String, Secret)> {
        let (id, secret) = self.halves();
        self.matching_body(decode(id)?, || decode(secret))
    }

    /// Returns identifier and secret as they are. The secret begins after the first colon.
    #[must_use]
    pub fn raw(&self) -> Option<(String, Secret)> {
        let (id, secret) = self.halves();
        self.matching_body(Cow::Borrowed(id), || Some(Cow::Borrowed(secret)))
    }

    /// The bytes as they were sent, and the `client_id` in the body.
    #[cfg(feature = "upstream")]
    pub(crate) fn presented(&self) -> (&Secret, Option<&str>) {
        (&self.user_pass, self.client_id.as_deref())
    }

    fn halves(&self) -> (&str, &str) {
        let (id, secret) = self.user_pass.expose().split_at(self.colon);
        (id, &secret[1..])
    }

    fn matching_body<'a>(
        &self,
        id: Cow<'a, str>,
        secret: impl FnOnce() -> Option<Cow<'a, str>>,
    ) -> Option<(String, Secret)> {
        if self
            .client_id
            .as_ref()
            .is_some_and(|client_id| *client_id != id)
        {
            return None;
        }
        Some((id.into_owned(), form::secret(secret()?)))
    }

    /// Whether neither reading has the identifier in the body.
    pub(super) fn contradicts(&self, client_id: &str) -> bool {
        let (id, _) = self.halves();
        id != client_id && decode(id).as_deref() != Some(client_id)
    }

    /// Whether one reading is the same as the credentials in the body. Both come from the same
    /// peer, so this comparison reveals nothing to it.
    pub(super) fn repeats(&self, client_id: &str, client_secret: &Secret) -> bool {
        let same = |(id, secret): (String, Secret)| {
            id == client_id && secret.expose() == client_secret.expose()
        };
        self.form_decoded().is_some_and(same) || self.raw().is_some_and(same)
    }
}
