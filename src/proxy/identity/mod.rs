//! The header fields in which an API is told whose token it is.

#[cfg(test)]
mod tests;

use hyper::{
    HeaderMap,
    header::{self, HeaderName, HeaderValue},
};

use super::fields::{is_about_connection, is_same, remove_if};
use crate::introspect::{Introspection, Scope};

/// The header fields in which an API is told whose token it is.
///
/// By default there are none. Every request that passes gets every field that has a name: a field
/// without a value is empty, so that nothing the client sent stays in its place. A client cannot
/// forge a field in another spelling: **names are the same if they differ only in case or in
/// characters other than letters and digits**, such as `X-Token-Subject` and `x_token.subject`.
///
/// A value is visible ASCII and spaces. All other bytes, spaces at the ends and `%` are
/// percent-encoded, so that two values never look alike: the subject `é` becomes `%C3%A9`, and the
/// subject `%C3%A9` becomes `%25C3%25A9`.
///
/// ```
/// use hyper::{HeaderMap, header::HeaderName};
/// use tower_revocation::{
///     introspect::{Introspection, TokenKind},
///     proxy::IdentityHeaders,
/// };
///
/// let identity = IdentityHeaders::new()
///     .subject(HeaderName::from_static("x-token-subject"))
///     .client(HeaderName::from_static("x-token-client"));
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x_token_subject", "root".parse().unwrap());
/// let token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
/// identity.set(Some(&token), &mut headers);
/// assert_eq!(headers["x-token-client"], "s6BhdRkqt3");
/// assert_eq!(headers["x-token-subject"], "");
/// assert!(!headers.contains_key("x_token_subject"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "identity headers do nothing until they are set"]
pub struct IdentityHeaders {
    subject: Option<HeaderName>,
    client: Option<HeaderName>,
    scope: Option<HeaderName>,
    issuer: Option<HeaderName>,
    session: Option<HeaderName>,
}

impl IdentityHeaders {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an identity header may have this name. `false` for the fields that frame or route a
    /// message, that are about one connection or that carry credentials, such as `Content-Length`,
    /// `Host`, `Connection` and `Cookie`, in every spelling.
    #[must_use]
    pub fn is_possible(name: &HeaderName) -> bool {
        !is_about_connection(name) && !RESERVED.iter().any(|reserved| is_same(name, reserved))
    }

    /// The field for the subject of the token (`sub`).
    ///
    /// # Panics
    ///
    /// Panics unless the name is [possible](Self::is_possible).
    pub fn subject(mut self, name: HeaderName) -> Self {
        self.subject = Some(possible(name));
        self
    }

    /// The field for the client that the token was issued to (`client_id`).
    ///
    /// # Panics
    ///
    /// Panics unless the name is [possible](Self::is_possible).
    pub fn client(mut self, name: HeaderName) -> Self {
        self.client = Some(possible(name));
        self
    }

    /// The field for the scope of the token, its words separated by spaces.
    ///
    /// # Panics
    ///
    /// Panics unless the name is [possible](Self::is_possible).
    pub fn scope(mut self, name: HeaderName) -> Self {
        self.scope = Some(possible(name));
        self
    }

    /// The field for the issuer of the token (`iss`).
    ///
    /// # Panics
    ///
    /// Panics unless the name is [possible](Self::is_possible).
    pub fn issuer(mut self, name: HeaderName) -> Self {
        self.issuer = Some(possible(name));
        self
    }

    /// The field for the session that the token was issued in (`sid`).
    ///
    /// # Panics
    ///
    /// Panics unless the name is [possible](Self::is_possible).
    pub fn session(mut self, name: HeaderName) -> Self {
        self.session = Some(possible(name));
        self
    }

    /// Removes these fields in every spelling.
    pub fn remove(&self, headers: &mut HeaderMap) {
        if self.names().next().is_some() {
            remove_if(headers, |name| self.contains(name));
        }
    }

    /// Removes these fields in every spelling, and sets each of them from the token. A field is
    /// empty if the token has no value for it, or if there is no token.
    ///
    /// If two fields have the same name, the last in the order of [`subject`](Self::subject),
    /// [`client`](Self::client), [`scope`](Self::scope), [`issuer`](Self::issuer) and
    /// [`session`](Self::session) counts.
    pub fn set(&self, token: Option<&Introspection>, headers: &mut HeaderMap) {
        self.remove(headers);
        let fields = [
            (&self.subject, token.and_then(|token| token.sub.as_deref())),
            (&self.client, token.map(|token| &*token.client_id)),
            (
                &self.scope,
                token.and_then(|token| token.scope.as_ref().map(Scope::as_str)),
            ),
            (&self.issuer, token.and_then(|token| token.iss.as_deref())),
            (&self.session, token.and_then(|token| token.sid.as_deref())),
        ];
        for (name, value) in fields {
            if let Some(name) = name {
                headers.insert(name.clone(), encoded(value.unwrap_or_default()));
            }
        }
    }

    /// Whether this is one of the fields, in any spelling.
    pub(crate) fn contains(&self, name: &HeaderName) -> bool {
        self.names().any(|ours| is_same(ours, name))
    }

    /// The names of the fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        let Self {
            subject,
            client,
            scope,
            issuer,
            session,
        } = self;
        [subject, client, scope, issuer, session]
            .into_iter()
            .flatten()
    }
}

/// Fields that change what the request is. The token must not overwrite them.
const RESERVED: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::MAX_FORWARDS,
    header::TRAILER,
];

#[track_caller]
fn possible(name: HeaderName) -> HeaderName {
    assert!(
        IdentityHeaders::is_possible(&name),
        "the name of an identity header must not be `{name}`, which has a meaning of its own"
    );
    name
}

/// A value as visible ASCII and spaces.
fn encoded(value: &str) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let last = value.len().saturating_sub(1);
    let mut written = Vec::with_capacity(value.len());
    for (at, byte) in value.bytes().enumerate() {
        // A recipient trims spaces at the ends.
        let plain = match byte {
            b'%' => false,
            b' ' => at != 0 && at != last,
            byte => byte.is_ascii_graphic(),
        };
        if plain {
            written.push(byte);
        } else {
            let digit = |four_bits: u8| DIGITS[usize::from(four_bits)];
            written.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    HeaderValue::from_bytes(&written).expect("visible ASCII and spaces form a valid field value")
}
