//! From where are keys fetched, and who said so?

use std::{fmt, sync::Arc};

use hyper::Uri;

use super::RemoteError;
use crate::outbound::{check_client_uri, parse_client_uri, parse_operator_uri};

/// A place where keys are published. Made by [`Keys`](crate::jose::Keys).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeySource {
    uri: Arc<str>,
    named: Named,
}

/// Who has named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Named {
    /// A client, whom nobody has to believe that it means its own.
    Client,
    /// The operator.
    Operator { plain_http: bool },
    /// The operator has named the issuer, whose metadata names the keys.
    Metadata { plain_http: bool },
}

/// What is fetched, as it was judged.
pub(super) enum Place {
    /// Keys that may be at public addresses alone, unless others are allowed.
    Guarded(Uri),
    /// Keys, wherever they are.
    Trusted(Uri),
    /// The metadata of an issuer.
    Issuer { plain_http: bool },
}

impl KeySource {
    pub(in crate::jose) fn operator(uri: &str, plain_http: bool) -> Result<Self, RemoteError> {
        parse_operator_uri(uri, plain_http).map_err(RemoteError::configuration)?;
        Ok(Self::new(uri, Named::Operator { plain_http }))
    }

    pub(in crate::jose) fn registered(uri: &str) -> Result<Self, RemoteError> {
        parse_client_uri(uri).map_err(RemoteError::registration)?;
        Ok(Self::new(uri, Named::Client))
    }

    pub(in crate::jose) fn issuer(issuer: &str, plain_http: bool) -> Result<Self, RemoteError> {
        let uri = parse_operator_uri(issuer, plain_http).map_err(RemoteError::configuration)?;
        if uri.query().is_some() {
            return Err(RemoteError::configuration("the issuer has a query"));
        }
        // Where it is http, what it names may be too.
        let plain_http = uri.scheme_str() == Some("http");
        Ok(Self::new(issuer, Named::Metadata { plain_http }))
    }

    fn new(uri: &str, named: Named) -> Self {
        let uri = uri.into();
        Self { uri, named }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.uri
    }

    /// What the operator has named, without a query, which may be a secret. `None` if a client has
    /// named it.
    #[cfg(feature = "metrics")]
    pub(super) fn named_by_operator(&self) -> Option<&str> {
        match self.named {
            Named::Client => None,
            Named::Operator { .. } | Named::Metadata { .. } => self.uri.split('?').next(),
        }
    }

    /// The place, if it may be asked as far as that can be known before its host is resolved.
    pub(super) fn place(&self, allow_private: bool) -> Result<Place, RemoteError> {
        match self.named {
            Named::Client => check_client_uri(&self.uri, allow_private)
                .map(Place::Guarded)
                .map_err(RemoteError::registration),
            Named::Operator { plain_http } => parse_operator_uri(&self.uri, plain_http)
                .map(Place::Trusted)
                .map_err(RemoteError::configuration),
            Named::Metadata { plain_http } => Ok(Place::Issuer { plain_http }),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A query may hold what is nobody's business.
        let uri = self.uri.split('?').next().unwrap_or_default();
        f.debug_tuple("KeySource").field(&uri).finish()
    }
}
