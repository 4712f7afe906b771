//! Certificates from a proxy that ends TLS, and from nobody else.

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

use super::{ClientCertificate, InvalidCertificate, Network};
use crate::client::PeerAddr;

mod client_cert;
mod forwarded;
mod nginx;
mod pem;

/// How a proxy writes the certificate of its client into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateForm {
    /// `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
    ClientCert,
    /// Envoy's `X-Forwarded-Client-Cert`, with `Cert` and perhaps `Chain`.
    ///
    /// Envoy has to set it and not to append to it: `forward_client_cert_details: SANITIZE_SET`,
    /// `set_current_client_cert_details: { cert: true }`. **An element that came from elsewhere
    /// cannot be told from Envoy's own, so more than one is malformed.** A `Hash` alone is no
    /// certificate, and malformed too.
    ForwardedClientCert,
    /// nginx: `X-SSL-Client-Cert` and `X-SSL-Client-Verify`.
    ///
    /// ```nginx
    /// proxy_set_header X-SSL-Client-Cert   $ssl_client_escaped_cert;
    /// proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
    /// # And, for nginx to ask for certificates at all:
    /// ssl_client_certificate ca.pem;
    /// ssl_verify_client optional; # optional_no_ca where some are self-signed
    /// ```
    ///
    /// **Set both**: nginx passes on a field that it does not set.
    SslClientCert,
    /// ingress-nginx: the same in `ssl-client-cert` and `ssl-client-verify`.
    IngressSslClientCert,
}

/// A layer that reads client certificates from the fields of trusted proxies, and drops these
/// fields whoever sent them.
///
/// Put it around everything: `Client-Cert`, `Client-Cert-Chain`, `X-Forwarded-Client-Cert`,
/// `X-SSL-Client-Cert`, `X-SSL-Client-Verify`, `ssl-client-cert` and `ssl-client-verify`, with
/// underscores too, are gone behind it, so nothing there can believe them. Of a trusted peer the
/// fields of one form are read; then there is a [`ClientCertificate`] in the extensions, or
/// [`MalformedCertificate`], or neither.
///
/// The peer is the [`PeerAddr`] in the extensions; without it nobody is trusted. **A trusted proxy
/// must itself drop or overwrite the fields of its form**, or its clients can write them.
///
/// ```
/// use hyper::{Request, Response};
/// use tower::{BoxError, Layer, ServiceExt, service_fn};
/// use tower_revocation::client::{
///     PeerAddr,
///     certificate::{CertificateFieldsLayer, CertificateForm, ClientCertificate},
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
/// let app = CertificateFieldsLayer::new(CertificateForm::ClientCert, ["10.0.0.0/8".parse()?]).layer(app);
///
/// let mut request = Request::new(());
/// request.headers_mut().insert("client-cert", field.parse()?);
/// request.extensions_mut().insert(PeerAddr("10.0.0.2:40000".parse()?));
/// assert!(app.oneshot(request).await?.into_body());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct CertificateFieldsLayer {
    form: CertificateForm,
    trusted: Arc<[Network]>,
    verified: Option<bool>,
}

impl CertificateFieldsLayer {
    /// Reads certificates in this form from peers in these networks. If there are none, the fields
    /// are dropped and never read.
    pub fn new(form: CertificateForm, trusted: impl IntoIterator<Item = Network>) -> Self {
        Self {
            form,
            trusted: trusted.into_iter().collect(),
            verified: None,
        }
    }

    /// Whether the proxy refuses certificates whose chain it cannot verify.
    ///
    /// So it is taken to be, unless this is called, with the forms of RFC 9440 and Envoy. With
    /// those of nginx the verify field says so for each certificate; here `false` overrules it, and
    /// `true` stands in where it is missing.
    ///
    /// **A proxy that takes any certificate and is said to verify them lets everybody be
    /// everybody.**
    pub fn verified(mut self, verified: bool) -> Self {
        self.verified = Some(verified);
        self
    }

    /// Reads and removes the fields of a request that has any.
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
            // Which of the two is the client? Neither may win in silence.
            Ok(Some(_)) if extensions.get::<ClientCertificate>().is_some() => {
                Err(MalformedCertificate(
                    "there are a certificate of the connection and one in a field",
                ))
            }
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
        match self.form {
            CertificateForm::ClientCert => client_cert::read(headers, verified),
            CertificateForm::ForwardedClientCert => forwarded::read(headers, verified),
            CertificateForm::SslClientCert => nginx::X_SSL.read(headers, self.verified),
            CertificateForm::IngressSslClientCert => nginx::SSL.read(headers, self.verified),
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

/// The service that [`CertificateFieldsLayer`] makes. A request without such fields passes as it
/// is, and nothing is allocated for it.
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

/// All of them, in every form: what is not read here must not be read behind us.
const FIELDS: [&str; 7] = [
    client_cert::CERT,
    client_cert::CHAIN,
    forwarded::CERT,
    nginx::X_SSL.cert,
    nginx::X_SSL.verify,
    nginx::SSL.cert,
    nginx::SSL.verify,
];

/// Whether it is one of them, or would be to whoever turns hyphens into underscores, as CGI does.
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

/// The longest field that is read. A certificate of 16 KiB takes less, however it is escaped.
const MAX_FIELD: usize = 96 * 1024;

/// The value of a field that may occur once.
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

/// A trusted proxy wrote a certificate in a way that cannot be understood, or that means two
/// things: in the extensions of the request, in place of a [`ClientCertificate`].
///
/// The request is answered 400 `invalid_request`, whatever else it presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedCertificate(&'static str);

impl MalformedCertificate {
    /// What is wrong with it. No byte of the field is in here.
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
