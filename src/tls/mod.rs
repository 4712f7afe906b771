//! TLS of the connections that this crate opens and accepts: certificates and the crypto provider.

#[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
mod files;

use std::{error::Error as StdError, fmt, sync::Arc};

use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore,
    client::WantsClientCert,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject as _},
};
#[cfg(feature = "proxy")]
use rustls::{ServerConfig, WantsVerifier};
use tower::BoxError;

#[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
pub(crate) use self::files::{File, Files};

/// Something has to be configured in another way.
#[derive(Debug)]
pub(crate) struct TlsError {
    pub(crate) reason: &'static str,
    pub(crate) source: Option<BoxError>,
}

impl TlsError {
    fn new(reason: &'static str) -> Self {
        let source = None;
        Self { reason, source }
    }

    fn caused_by(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl StdError for TlsError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Begins a configuration that trusts these root certificates. It verifies certificates and host
/// names.
///
/// # Errors
///
/// Fails if there is no crypto provider.
pub(crate) fn builder(
    roots: impl Into<Arc<RootCertStore>>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
    let config = ClientConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::new("TLS cannot be configured").caused_by(error))?;
    Ok(config.with_root_certificates(roots))
}

/// Begins the configuration of a server.
///
/// # Errors
///
/// Fails if there is no crypto provider.
#[cfg(feature = "proxy")]
pub(crate) fn server_builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, TlsError> {
    ServerConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::new("TLS cannot be configured").caused_by(error))
}

/// Returns the provider that the application has installed, or else the one that our features name.
///
/// `ClientConfig::builder()` is no option: it panics if rustls was built with two providers or with
/// none, and it installs the only one for the whole process, which is the application's decision.
pub(crate) fn provider() -> Result<Arc<CryptoProvider>, TlsError> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Ok(installed.clone());
    }
    let missing = TlsError::new(
        "TLS has no crypto provider: enable `tls-aws-lc-rs` or `tls-ring` of tower-revocation, or \
         call `CryptoProvider::install_default` of rustls",
    );
    named().map(Arc::new).ok_or(missing)
}

fn named() -> Option<CryptoProvider> {
    #[cfg(feature = "tls-aws-lc-rs")]
    let named = Some(rustls::crypto::aws_lc_rs::default_provider());
    #[cfg(all(feature = "tls-ring", not(feature = "tls-aws-lc-rs")))]
    let named = Some(rustls::crypto::ring::default_provider());
    #[cfg(not(any(feature = "tls-aws-lc-rs", feature = "tls-ring")))]
    let named = None;
    named
}

/// Reads root certificates in PEM, to trust instead of those of the system.
pub(crate) fn parse_roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| TlsError::new("the CA is not PEM").caused_by(error))?;
        roots
            .add(certificate)
            .map_err(|error| TlsError::new("a CA certificate cannot be read").caused_by(error))?;
    }
    if roots.is_empty() {
        return Err(TlsError::new("the PEM contains no CA certificate"));
    }
    Ok(roots)
}

/// Loads the root certificates of the system. It reads files.
pub(crate) fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let failure = TlsError::new("the system has no root certificates");
    Err(match found.errors.into_iter().next() {
        Some(cause) => failure.caused_by(cause),
        None => failure,
    })
}
