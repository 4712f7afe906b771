//! Where the metadata document is served, and what it says.

use std::{fmt, net::IpAddr, sync::Arc};

use bytes::Bytes;
use hyper::Uri;
use serde_json::{Map, Value};
use tower_layer::Layer;

use super::{Metadata, MetadataService};

/// A layer that serves the metadata of an authorization server (RFC 8414 §3), and passes every other
/// request to the inner service.
///
/// It responds to `GET` and `HEAD` on `/.well-known/oauth-authorization-server`, followed by the path
/// of the issuer. Browser apps of any origin may read the document.
///
/// ```
/// use serde_json::{Map, json};
/// use tower::ServiceBuilder;
/// use tower_revocation::{
///     MetadataLayer, RevocationLayer, client::registry::{ClientAuthenticator, Registry},
/// };
///
/// # fn backend() {}
/// let authenticator = ClientAuthenticator::new(Registry::default());
/// let revocation = RevocationLayer::new("/oauth2/revoke", authenticator, backend());
///
/// let mut document = Map::new();
/// document.insert("token_endpoint".to_owned(), json!("https://as.example.com/oauth2/token"));
/// let metadata = MetadataLayer::new(
///     "https://as.example.com",
///     &revocation.metadata("https://as.example.com/oauth2/revoke"),
///     document,
/// );
/// let layers = ServiceBuilder::new().layer(metadata).layer(revocation);
/// # let _ = layers;
/// ```
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct MetadataLayer {
    path: Arc<str>,
    document: Bytes,
}

impl MetadataLayer {
    /// Serves `document`, with `issuer` and the members of `metadata` inserted.
    ///
    /// # Panics
    ///
    /// Panics if `issuer` is not a URL with a host and without user, query and fragment; if it is
    /// `http` and its host is not this machine (`localhost`, `127.0.0.1`, `[::1]`); and if the
    /// authenticator verifies assertions or attestations for another issuer.
    pub fn new(issuer: &str, metadata: &Metadata, mut document: Map<String, Value>) -> Self {
        assert!(
            metadata
                .audience
                .as_deref()
                .is_none_or(|audience| audience == issuer),
            "the issuer of the metadata must be the audience of the clients' assertions"
        );
        let path = well_known_path(issuer).into();
        document.insert("issuer".to_owned(), issuer.into());
        metadata.merge_into(&mut document);
        Self {
            path,
            document: Value::Object(document).to_string().into(),
        }
    }
}

impl<S> Layer<S> for MetadataLayer {
    type Service = MetadataService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MetadataService {
            inner,
            layer: self.clone(),
        }
    }
}

impl MetadataLayer {
    pub(super) fn matches(&self, path: &str) -> bool {
        path == &*self.path
    }

    pub(super) fn document(&self) -> Bytes {
        self.document.clone()
    }
}

impl fmt::Debug for MetadataLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataLayer")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// `/.well-known/oauth-authorization-server` and the path of the issuer (RFC 8414 §3.1).
fn well_known_path(issuer: &str) -> String {
    let path = path_of(issuer).expect(
        "the issuer must be an https URL, or an http URL on this machine, without user, query and \
         fragment (RFC 8414 §2)",
    );
    format!(
        "/.well-known/oauth-authorization-server{}",
        path.trim_end_matches('/')
    )
}

/// The path of an issuer, if its metadata may be published. Plain HTTP is for this machine only: on a
/// network, an attacker could change the document.
fn path_of(issuer: &str) -> Option<&str> {
    let uri: Uri = issuer.parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let rest = match issuer.strip_prefix("https://") {
        Some(rest) => rest,
        None => issuer
            .strip_prefix("http://")
            .filter(|_| is_loopback(host))?,
    };
    // `Uri` drops a fragment.
    let is_issuer = !rest.contains(['?', '#', '@']);
    is_issuer.then(|| rest.find('/').map_or("", |slash| &rest[slash..]))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_the_issuer_follows_the_well_known_prefix() {
        for (issuer, path) in [
            ("https://as.example.com", ""),
            ("https://as.example.com/", ""),
            ("https://as.example.com/tenant/1", "/tenant/1"),
            ("http://127.0.0.1:8089", ""),
            ("http://127.1.2.3/t", "/t"),
            ("http://[::1]:8089", ""),
            ("http://localhost", ""),
            ("http://LOCALHOST:8089/t/", "/t"),
        ] {
            let path = format!("/.well-known/oauth-authorization-server{path}");
            assert_eq!(well_known_path(issuer), path);
        }
    }

    #[test]
    fn issuer_that_must_not_be_published_has_no_path() {
        for issuer in [
            "http://as.example.com",
            "http://192.0.2.1",
            "http://0.0.0.0:8089",
            "http://[::]:8089",
            "http://[2001:db8::1]",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@as.example.com",
            "http://user@localhost",
            "https://user@as.example.com",
            "https://as.example.com?x",
            "https://as.example.com/#x",
            "https://as.example.com/t?x=1",
            "https://",
            "https:///t",
            "http:///t",
            "https://as example.com",
            "ftp://localhost",
            "as.example.com",
            "/t",
            "",
        ] {
            assert_eq!(path_of(issuer), None, "{issuer}");
        }
    }
}
