//! TLS around a connection, by the provider that the application or our features choose.

use std::{fs, future::Future, io, pin::Pin, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use super::{fault::Fault, stream::Encrypted};

/// Files of certificates in PEM.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    /// The root certificates to trust instead of those of the system.
    pub(super) roots: Option<String>,
    /// The certificate of this client and its key.
    pub(super) client: Option<(String, String)>,
}

/// Makes TLS sessions. Certificates and host names are always verified.
#[derive(Clone)]
pub(super) struct Tls(Option<TlsConnector>);

impl Tls {
    /// For connections without TLS.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Reads the files.
    pub(super) fn load(files: &Files) -> Result<Self, Fault> {
        let provider = provider()?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Fault::misconfigured(format!("TLS cannot be configured: {error}")))?
            .with_root_certificates(roots(files.roots.as_deref())?);
        let mut config = match &files.client {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let chain: Result<Vec<_>, _> =
                    CertificateDer::pem_slice_iter(&read(chain)?).collect();
                let chain = chain.map_err(|_| not_pem("sslcert"))?;
                let key =
                    PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| not_pem("sslkey"))?;
                config.with_client_auth_cert(chain, key).map_err(|_| {
                    Fault::misconfigured("`sslkey` is not the key of the certificate in `sslcert`")
                })?
            }
        };
        // Demanded from a client that begins with TLS, without asking first.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self(Some(TlsConnector::from(Arc::new(config)))))
    }
}

/// The provider that the application has installed, or else the one that our features name.
///
/// `ClientConfig::builder()` would install a provider for the whole process, or panic.
fn provider() -> Result<Arc<CryptoProvider>, Fault> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Ok(installed.clone());
    }
    named().map(Arc::new).ok_or_else(|| {
        Fault::misconfigured(
            "TLS has no crypto provider: enable `tls-aws-lc-rs` or `tls-ring` of tower-revocation, \
             or call `CryptoProvider::install_default` of rustls",
        )
    })
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

fn roots(file: Option<&str>) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    match file {
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(file) => {
            for root in CertificateDer::pem_slice_iter(&read(file)?) {
                let root = root.map_err(|_| not_pem("sslrootcert"))?;
                roots.add(root).map_err(|_| not_pem("sslrootcert"))?;
            }
        }
    }
    if roots.is_empty() {
        return Err(Fault::misconfigured(
            "there are no root certificates: set `sslrootcert` to the CA of the server",
        ));
    }
    Ok(roots)
}

fn read(file: &str) -> Result<Vec<u8>, Fault> {
    fs::read(file)
        .map_err(|error| Fault::misconfigured(format!("the file {file} cannot be read: {error}")))
}

fn not_pem(parameter: &str) -> Fault {
    Fault::misconfigured(format!(
        "the file of `{parameter}` has no certificate or key in PEM"
    ))
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        Ok(Handshake {
            connector: self.0.clone(),
            host: host.to_owned(),
        })
    }
}

/// A handshake with one host.
pub(super) struct Handshake {
    connector: Option<TlsConnector>,
    host: String,
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let unusable = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
            let connector = self
                .connector
                .ok_or_else(|| unusable("TLS is not set up".into()))?;
            let host = ServerName::try_from(self.host).map_err(|error| {
                unusable(Box::<dyn std::error::Error + Send + Sync>::from(error))
            })?;
            connector.connect(host, stream).await.map(Encrypted)
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    /// None: the certificate is verified, so the server is the right one already.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
