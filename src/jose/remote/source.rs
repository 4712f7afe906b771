//! Where are keys fetched from, and who named that place?

use std::{fmt, sync::Arc};

use hyper::Uri;

use super::RemoteError;
use crate::outbound::{check_client_uri, parse_client_uri, parse_operator_uri};

/// A place where keys are published. Made by the constructors of [`Keys`](crate::jose::Keys).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeySource {
    uri: Arc<str>,
    origin: Origin,
}

/// Who named the URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    /// A client. It may name a host that is not its own.
    Client,
    /// The operator.
    Operator { plain_http: bool },
    /// The operator named the issuer, and the metadata of the issuer names the keys.
    Metadata { plain_http: bool },
}

/// What to fetch. The URI has been checked.
pub(super) enum Target {
    /// Keys at a public address, unless the settings allow others.
    Guarded(Uri),
    /// Keys at any address.
    Trusted(Uri),
    /// The metadata of an issuer.
    Issuer { plain_http: bool },
}

impl KeySource {
    pub(in crate::jose) fn operator(uri: &str, plain_http: bool) -> Result<Self, RemoteError> {
        parse_operator_uri(uri, plain_http).map_err(RemoteError::configuration)?;
        Ok(Self::new(uri, Origin::Operator { plain_http }))
    }

    pub(in crate::jose) fn client(uri: &str) -> Result<Self, RemoteError> {
        parse_client_uri(uri).map_err(RemoteError::registration)?;
        Ok(Self::new(uri, Origin::Client))
    }

    pub(in crate::jose) fn issuer(issuer: &str, plain_http: bool) -> Result<Self, RemoteError> {
        let uri = parse_operator_uri(issuer, plain_http).map_err(RemoteError::configuration)?;
        if uri.query().is_some() {
            return Err(RemoteError::configuration("the issuer has a query"));
        }
        // An issuer by `http` may name keys by `http`.
        let plain_http = uri.scheme_str() == Some("http");
        Ok(Self::new(issuer, Origin::Metadata { plain_http }))
    }

    fn new(uri: &str, origin: Origin) -> Self {
        let uri = uri.into();
        Self { uri, origin }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.uri
    }

    /// The URI without its query, which may hold a secret.
    pub(super) fn without_query(&self) -> &str {
        self.uri.split('?').next().unwrap_or_default()
    }

    /// The URI or issuer that the operator named, without its query. `None` if a client named it.
    #[cfg(feature = "metrics")]
    pub(super) fn named_by_operator(&self) -> Option<&str> {
        match self.origin {
            Origin::Client => None,
            Origin::Operator { .. } | Origin::Metadata { .. } => Some(self.without_query()),
        }
    }

    /// Checks the URI, as far as that is possible before its host is resolved.
    pub(super) fn target(&self, allow_private: bool) -> Result<Target, RemoteError> {
        match self.origin {
            Origin::Client => check_client_uri(&self.uri, allow_private)
                .map(Target::Guarded)
                .map_err(RemoteError::registration),
            Origin::Operator { plain_http } => parse_operator_uri(&self.uri, plain_http)
                .map(Target::Trusted)
                .map_err(RemoteError::configuration),
            Origin::Metadata { plain_http } => Ok(Target::Issuer { plain_http }),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeySource")
            .field(&self.without_query())
            .finish()
    }
}
