//! Certificates in header fields of a trusted proxy that terminates TLS.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::{
    HeaderMap, Request,
    header::{HeaderName, HeaderValue},
};
use tower::Service;
use tower_layer::Layer;

use super::{ClientCertificate, InvalidCertificate};
use crate::client::{Network, PeerAddr};

mod client_cert;
mod forwarded;
mod nginx;
mod pem;

/// The header fields in which a proxy sends the certificate of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateFormat {
    /// `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
    ClientCert,
    /// Envoy's `X-Forwarded-Client-Cert`, with `Cert` and optionally `Chain`.
    ///
    /// Configure Envoy to set the field and not to append to it:
    /// `forward_client_cert_details: SANITIZE_SET`,
    /// `set_current_client_cert_details: { cert: true }`. **More than one element is malformed**,
    /// because Envoy's own element cannot be distinguished from others. A `Hash` without a
    /// certificate is malformed too.
    ForwardedClientCert,
    /// nginx: `X-SSL-Client-Cert` and `X-SSL-Client-Verify`.
    ///
    /// ```nginx
    /// proxy_set_header X-SSL-Client-Cert   $ssl_client_escaped_cert;
    /// proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
    /// # These make nginx request certificates:
    /// ssl_client_certificate ca.pem;
    /// ssl_verify_client optional; # optional_no_ca if some are self-signed
    /// ```
    ///
    /// **Set both fields**: nginx forwards a field of the client that it does not set.
    SslClientCert,
    /// ingress-nginx: the same in `ssl-client-cert` and `ssl-client-verify`.
    IngressSslClientCert,
}

/// A layer that reads client certificates from header fields of trusted proxies. It removes these
/// fields from every request.
///
/// Make it the outermost layer. It removes `Client-Cert`, `Client-Cert-Chain`,
/// `X-Forwarded-Client-Cert`, `X-SSL-Client-Cert`, `X-SSL-Client-Verify`, `ssl-client-cert` and
/// `ssl-client-verify`, also written with underscores, so that no inner service can trust them.
/// From a trusted peer it reads the fields of one format. The extensions of the request then have a
/// [`ClientCertificate`], a [`MalformedCertificate`], or neither.
///
/// The peer is the [`PeerAddr`] in the extensions. Without it no peer is trusted. **A trusted proxy
/// must remove or overwrite the fields of its format**, else its clients can forge them.
///
/// ```
/// use hyper::{Request, Response};
/// use tower::{BoxError, Layer, ServiceExt, service_fn};
/// use tower_revocation::client::{
///     PeerAddr,
///     certificate::{CertificateFieldsLayer, CertificateFormat, ClientCertificate},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # use base64::{Engine as _, prelude::BASE64_STANDARD};
/// # let key = rcgen::KeyPair::generate()?;
/// # let leaf = rcgen::CertificateParams::new(["client.example".to_owned()])?.self_signed(&key)?;
/// # let field = format!(":{}:", BASE64_STANDARD.encode(leaf.der()));
/// let app = service_fn(async |request: Request<()>| {
///     assert!(request.headers().is_empty());
///     Ok::<_, BoxError>(Response::new(request.extensions().get::<ClientCertificate>().is_some()))
/// });
/// let app = CertificateFieldsLayer::new(CertificateFormat::ClientCert, ["10.0.0.0/8".parse()?]).layer(app);
///
/// let mut request = Request::new(());
/// request.headers_mut().insert("client-cert", field.parse()?);
/// request.extensions_mut().insert(PeerAddr("10.0.0.2:40000".parse()?));
/// assert!(app.oneshot(request).await?.into_body());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CertificateFieldsLayer {
    format: CertificateFormat,
    trusted: Arc<[Network]>,
    verified: Option<bool>,
}

impl CertificateFieldsLayer {
    /// Creates a layer that reads certificates in this format from peers in these networks. Without
    /// networks it only removes the fields.
    pub fn new(format: CertificateFormat, trusted: impl IntoIterator<Item = Network>) -> Self {
        Self {
            format,
            trusted: trusted.into_iter().collect(),
            verified: None,
        }
    }

    /// Sets whether the proxy rejects certificates whose chain it cannot verify.
    ///
    /// Defaults to `true` for the formats of RFC 9440 and Envoy. For those of nginx the verify
    /// field decides for each certificate: `false` overrides it, and `true` applies if it is
    /// missing.
    ///
    /// **If this is `true` and the proxy accepts any certificate, anyone can impersonate any
    /// client.**
    pub fn verified(mut self, verified: bool) -> Self {
        self.verified = Some(verified);
        self
    }

    /// Reads and removes the fields of a request.
    fn take<B>(&self, request: &mut Request<B>) {
        let peer = request.extensions().get::<PeerAddr>();
        let is_trusted = peer.is_some_and(|PeerAddr(peer)| {
            self.trusted
                .iter()
                .any(|network| network.contains(peer.ip()))
        });
        let read = if is_trusted {
            self.read(request.headers())
        } else {
            Ok(None)
        };
        remove_fields(request.headers_mut());

        let extensions = request.extensions_mut();
        let read = match read {
            // Ambiguous: either of the two could be the client.
            Ok(Some(_)) if extensions.get::<ClientCertificate>().is_some() => Err(
                MalformedCertificate("the connection has a certificate, and so has a header field"),
            ),
            read => read,
        };
        match read {
            Ok(None) => {}
            Ok(Some(certificate)) => {
                extensions.insert(certificate);
            }
            Err(malformed) => {
                extensions.remove::<ClientCertificate>();
                extensions.insert(malformed);
            }
        }
    }

    fn read(&self, headers: &HeaderMap) -> Result<Option<ClientCertificate>, MalformedCertificate> {
        let verified = self.verified.unwrap_or(true);
        match self.format {
            CertificateFormat::ClientCert => client_cert::read(headers, verified),
            CertificateFormat::ForwardedClientCert => forwarded::read(headers, verified),
            CertificateFormat::SslClientCert => nginx::X_SSL.read(headers, self.verified),
            CertificateFormat::IngressSslClientCert => nginx::SSL.read(headers, self.verified),
        }
    }
}

impl<S> Layer<S> for CertificateFieldsLayer {
    type Service = CertificateFields<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CertificateFields {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of [`CertificateFieldsLayer`]. A request without such fields passes unchanged and
/// without an allocation.
#[derive(Clone, Debug)]
pub struct CertificateFields<S> {
    inner: S,
    layer: CertificateFieldsLayer,
}

impl<S, B> Service<Request<B>> for CertificateFields<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if request.headers().keys().any(is_field) {
            self.layer.take(&mut request);
        }
        self.inner.call(request)
    }
}

/// The fields of all formats. Those of other formats are removed too, so that no inner service
/// trusts them.
const FIELDS: [&str; 7] = [
    client_cert::CERT,
    client_cert::CHAIN,
    forwarded::CERT,
    nginx::X_SSL.cert,
    nginx::X_SSL.verify,
    nginx::SSL.cert,
    nginx::SSL.verify,
];

/// Whether it is one of the fields, with hyphens or with underscores: CGI does not distinguish
/// them.
fn is_field(name: &HeaderName) -> bool {
    let is_same = |written: u8, meant: u8| written == meant || (written == b'_' && meant == b'-');
    let name = name.as_str().as_bytes();
    FIELDS.iter().map(|field| field.as_bytes()).any(|field| {
        name.len() == field.len() && name.iter().zip(field).all(|(a, b)| is_same(*a, *b))
    })
}

fn remove_fields(headers: &mut HeaderMap) {
    let fields: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_field(name))
        .cloned()
        .collect();
    for field in fields {
        headers.remove(field);
    }
}

/// The maximum length of a field. A certificate of 16 KiB is shorter in every encoding.
const MAX_FIELD: usize = 96 * 1024;

/// The value of a field that must occur at most once.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a [u8]>, MalformedCertificate> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(MalformedCertificate("a field occurs more than once"));
    }
    if first.is_some_and(|value| value.len() > MAX_FIELD) {
        return Err(MalformedCertificate("a field is too long"));
    }
    Ok(first.map(HeaderValue::as_bytes))
}

fn certificate(der: Vec<u8>, verified: bool) -> Result<ClientCertificate, MalformedCertificate> {
    let certificate = if verified {
        ClientCertificate::verified(der)
    } else {
        ClientCertificate::unverified(der)
    };
    certificate.map_err(|InvalidCertificate(reason)| MalformedCertificate(reason))
}

/// A trusted proxy sent a malformed or ambiguous certificate. It is in the extensions of the
/// request, in place of a [`ClientCertificate`].
///
/// The response is 400 `invalid_request`, whatever other credentials the request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedCertificate(&'static str);

impl MalformedCertificate {
    /// What is wrong. It contains no part of the field.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for MalformedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for MalformedCertificate {}
