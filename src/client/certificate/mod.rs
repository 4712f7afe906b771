//! Client certificates (RFC 8705).
//!
//! The code that accepts a connection puts a [`ClientCertificate`] into the extensions of its
//! requests: the TLS acceptor, or [`CertificateFieldsLayer`] behind a proxy that terminates TLS. A
//! client of `tls_client_auth` is registered with a [`CertificateSubject`], a name that its
//! certificate must have. A client of `self_signed_tls_client_auth` is registered with its keys or
//! certificates.
//!
//! **The default verifier of rustls, `WebPkiClientVerifier`, rejects self-signed certificates** in
//! the handshake, before this code runs. `examples/authorization_server/tls.rs` has a verifier that
//! accepts them and still requires proof of possession of the key.

use std::{fmt, sync::Arc};

use sha2::{Digest as _, Sha256};
use x509_cert::{Certificate, der::Decode as _};

use self::alternative::AlternativeName;

mod alternative;
mod attribute;
mod fields;
mod name;
mod self_signed;
mod subject;
mod text;

pub use fields::{
    CertificateFields, CertificateFieldsLayer, CertificateFormat, MalformedCertificate,
};
pub(crate) use self_signed::{registered, x5c_matches};
pub use subject::{CertificateSubject, InvalidSubject};

/// The certificate of a client, in the extensions of its requests.
///
/// Insert it only after the handshake has proven possession of the key. **This crate does not
/// verify chains, dates or revocation lists**: the TLS acceptor does.
///
/// ```
/// use hyper::Request;
/// use tower_revocation::client::certificate::ClientCertificate;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = rcgen::KeyPair::generate()?;
/// # let leaf = rcgen::CertificateParams::new(["client.example".to_owned()])?.self_signed(&key)?;
/// // What rustls returns from `peer_certificates()`, after it has verified the chain.
/// let certificate = ClientCertificate::verified(leaf.der().as_ref())?;
/// assert!(certificate.is_verified());
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(certificate);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientCertificate {
    inner: Arc<Inner>,
    chain: Arc<[Vec<u8>]>,
    verified: bool,
}

struct Inner {
    der: Vec<u8>,
    thumbprint: [u8; 32],
    certificate: Certificate,
    alternatives: Vec<AlternativeName>,
}

impl ClientCertificate {
    /// The maximum length of a certificate: 16 KiB.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Creates a certificate whose chain the TLS acceptor has verified against the authorities for
    /// client authentication.
    ///
    /// # Errors
    ///
    /// Fails if `der` is not exactly one X.509 certificate in DER, or is longer than
    /// [`MAX_LEN`](Self::MAX_LEN).
    pub fn verified(der: impl Into<Vec<u8>>) -> Result<Self, InvalidCertificate> {
        Self::new(der.into(), true)
    }

    /// Creates a certificate whose chain was not verified. Only possession of the key is proven.
    ///
    /// This suffices for `self_signed_tls_client_auth`, where the certificate itself is registered,
    /// and for nothing else: **anyone can create a certificate with any name**.
    ///
    /// # Errors
    ///
    /// Fails like [`verified`](Self::verified).
    pub fn unverified(der: impl Into<Vec<u8>>) -> Result<Self, InvalidCertificate> {
        Self::new(der.into(), false)
    }

    fn new(der: Vec<u8>, verified: bool) -> Result<Self, InvalidCertificate> {
        if der.len() > Self::MAX_LEN {
            return Err(InvalidCertificate::TOO_LONG);
        }
        let certificate = Certificate::from_der(&der).map_err(|_| InvalidCertificate::NOT_DER)?;
        let alternatives = alternative::names(&certificate)?;
        Ok(Self {
            inner: Arc::new(Inner {
                thumbprint: Sha256::digest(&der).into(),
                der,
                certificate,
                alternatives,
            }),
            chain: Arc::default(),
            verified,
        })
    }

    /// Sets the rest of the chain, as sent. This crate does not use it.
    #[must_use]
    pub fn chain<T: Into<Vec<u8>>>(mut self, chain: impl IntoIterator<Item = T>) -> Self {
        self.chain = chain.into_iter().map(Into::into).collect();
        self
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.inner.der
    }

    /// The rest of the chain, without this certificate.
    pub fn intermediates(&self) -> impl Iterator<Item = &[u8]> {
        self.chain.iter().map(Vec::as_slice)
    }

    /// Whether the chain was verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.verified
    }

    /// SHA-256 of the certificate, the `x5t#S256` that tokens are bound to (RFC 8705 §3.1).
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        self.inner.thumbprint
    }

    fn x509(&self) -> &Certificate {
        &self.inner.certificate
    }

    fn alternatives(&self) -> &[AlternativeName] {
        &self.inner.alternatives
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(")?;
        for byte in self.inner.thumbprint {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// The input is not a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCertificate(&'static str);

impl InvalidCertificate {
    const TOO_LONG: Self = Self("the certificate is longer than 16 KiB");
    const NOT_DER: Self = Self("the certificate is not one X.509 certificate in DER");
    const ALTERNATIVES: Self = Self("the certificate's subjectAltName cannot be parsed");
}

impl fmt::Display for InvalidCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidCertificate {}
