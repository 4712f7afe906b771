//! Authentication methods and their names.

use std::fmt;

use hyper::http::Extensions;

/// A method of the OAuth Token Endpoint Authentication Methods registry (RFC 7591 §4.2).
///
/// ```
/// use tower_revocation::client::AuthMethod;
///
/// assert_eq!("none".parse(), Ok(AuthMethod::None));
/// assert_eq!(AuthMethod::ClientSecretBasic.as_str(), "client_secret_basic");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// `client_secret_basic`
    ClientSecretBasic,
    /// `client_secret_post`
    ClientSecretPost,
    /// `none`: public clients.
    None,
    /// `private_key_jwt`
    PrivateKeyJwt,
    /// `client_secret_jwt`
    ClientSecretJwt,
    /// `tls_client_auth`
    TlsClientAuth,
    /// `self_signed_tls_client_auth`
    SelfSignedTlsClientAuth,
    /// `attest_jwt_client_auth`
    AttestJwtClientAuth,
}

impl AuthMethod {
    /// All methods.
    pub const ALL: &'static [Self] = &[
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::None,
        Self::PrivateKeyJwt,
        Self::ClientSecretJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::AttestJwtClientAuth,
    ];

    /// Returns the registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::AttestJwtClientAuth => "attest_jwt_client_auth",
        }
    }
}

impl std::str::FromStr for AuthMethod {
    type Err = UnknownAuthMethod;

    /// Parses a registered name. **Names are compared byte for byte.**
    ///
    /// # Errors
    ///
    /// Fails if the name is unknown.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|method| method.as_str() == name)
            .ok_or(UnknownAuthMethod)
    }
}

/// The name of an authentication method that this crate does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAuthMethod;

impl fmt::Display for UnknownAuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown client authentication method")
    }
}

impl std::error::Error for UnknownAuthMethod {}

/// The methods that an endpoint accepts, for its authenticator.
///
/// Some credentials do not show their method: a `client_id` alone may come from a public client, or
/// from a client with a certificate. An endpoint that accepts only some methods inserts them into
/// the extensions of each request to its authenticator. [`of`](Self::of) reads them.
///
/// ```
/// use hyper::Request;
/// use tower_revocation::client::{AcceptedMethods, AuthMethod};
///
/// let mut request = Request::new(());
/// let accepted = AcceptedMethods::of(request.extensions());
/// assert!(accepted.contains(AuthMethod::None));
///
/// let accepted = AcceptedMethods::new([AuthMethod::TlsClientAuth]);
/// request.extensions_mut().insert(accepted);
/// let accepted = AcceptedMethods::of(request.extensions());
/// assert!(!accepted.contains(AuthMethod::None));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AcceptedMethods(u16);

impl AcceptedMethods {
    /// All methods.
    pub const ALL: Self = {
        let mut set = 0;
        let mut place = 0;
        while place < AuthMethod::ALL.len() {
            set |= bit(AuthMethod::ALL[place]);
            place += 1;
        }
        Self(set)
    };

    /// Accepts exactly these methods.
    pub fn new(methods: impl IntoIterator<Item = AuthMethod>) -> Self {
        Self(methods.into_iter().fold(0, |set, method| set | bit(method)))
    }

    /// Returns the methods that the endpoint accepts for a request with these extensions: those in
    /// the extensions, or [`ALL`](Self::ALL) if there are none.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self::ALL)
    }

    /// States the methods in the extensions of a request. Nothing is allocated for all methods.
    pub(crate) fn state(self, extensions: &mut Extensions) {
        if self == Self::ALL {
            extensions.remove::<Self>();
        } else {
            extensions.insert(self);
        }
    }

    /// Returns whether this method is accepted.
    #[must_use]
    pub fn contains(self, method: AuthMethod) -> bool {
        self.0 & bit(method) != 0
    }

    /// Accepts this method if it was accepted, and no other.
    pub(crate) fn only(self, method: AuthMethod) -> Self {
        Self(self.0 & bit(method))
    }

    /// Returns all accepted methods, in the order of [`AuthMethod::ALL`].
    pub fn iter(self) -> impl Iterator<Item = AuthMethod> {
        let all = AuthMethod::ALL.iter().copied();
        all.filter(move |method| self.contains(*method))
    }
}

const fn bit(method: AuthMethod) -> u16 {
    1 << method as u16
}

impl fmt::Debug for AcceptedMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_is_accepted_by_itself() {
        for accepted in AuthMethod::ALL {
            let set = AcceptedMethods::new([*accepted, *accepted]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [*accepted]);
            for method in AuthMethod::ALL {
                assert_eq!(set.contains(*method), method == accepted);
            }
            assert_eq!(format!("{set:?}"), format!("{{{accepted:?}}}"));
        }
        assert_eq!(AcceptedMethods::new([]).iter().count(), 0);
        assert!(
            AcceptedMethods::ALL
                .iter()
                .eq(AuthMethod::ALL.iter().copied())
        );
    }

    #[test]
    fn last_stated_methods_count() {
        let mut extensions = Extensions::new();
        let some = AcceptedMethods::new([AuthMethod::None]);
        for stated in [AcceptedMethods::ALL, some, AcceptedMethods::ALL, some] {
            stated.state(&mut extensions);
            assert_eq!(AcceptedMethods::of(&extensions), stated);
        }
    }
}
