//! TLS configuration: root certificates and the crypto provider.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::error::OutboundError;

/// Builds a configuration that trusts these root certificates, or else those of the system.
pub(super) async fn config(
    roots: Option<Arc<RootCertStore>>,
) -> Result<ClientConfig, OutboundError> {
    let provider = provider()?;
    let roots = match roots {
        Some(roots) => roots,
        None => tokio::task::spawn_blocking(system_roots)
            .await
            .map_err(|error| {
                OutboundError::configuration("the root certificates cannot be loaded")
                    .caused_by(error)
            })??
            .into(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            OutboundError::configuration("TLS cannot be configured").caused_by(error)
        })?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Returns the provider that the application has installed, or else the one that our features name.
///
/// `ClientConfig::builder()` is no option: it panics if rustls was built with two providers or with
/// none, and it installs the only one for the whole process, which is the application's decision.
fn provider() -> Result<Arc<CryptoProvider>, OutboundError> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Ok(installed.clone());
    }
    let missing = OutboundError::configuration(
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
pub(crate) fn parse_roots(pem: &[u8]) -> Result<Arc<RootCertStore>, OutboundError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate
            .map_err(|error| OutboundError::configuration("the CA is not PEM").caused_by(error))?;
        roots.add(certificate).map_err(|error| {
            OutboundError::configuration("a CA certificate cannot be read").caused_by(error)
        })?;
    }
    if roots.is_empty() {
        return Err(OutboundError::configuration(
            "the PEM contains no CA certificate",
        ));
    }
    Ok(roots.into())
}

fn system_roots() -> Result<RootCertStore, OutboundError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let failure = OutboundError::configuration("the system has no root certificates");
    Err(match found.errors.into_iter().next() {
        Some(cause) => failure.caused_by(cause),
        None => failure,
    })
}
