//! The certificate of a server, which can be replaced while it serves.

use std::{
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::listener::Socket;
use crate::{proxy::Error, tls};

/// The certificate of a [`Server`](super::Server) and its key. Clones share them.
///
/// [`replace`](Self::replace) counts from the next handshake on. Open connections go on.
#[derive(Clone)]
pub struct ServerTls(Arc<RwLock<Current>>);

#[derive(Clone)]
struct Current {
    config: Arc<ServerConfig>,
    clients: Clients,
}

/// What verifies the certificates of clients. `None`: they are not asked for one.
type Clients = Option<Arc<dyn ClientCertVerifier>>;

impl ServerTls {
    /// Reads a certificate chain and its key, both in PEM. The certificate of the server comes
    /// first.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be read or do not belong together, or if there is no crypto provider.
    /// See [`outbound`](crate::outbound) for the provider.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        Self::new(chain, key, None)
    }

    /// Also asks clients for a certificate. `authorities` are those that issue them, in PEM.
    ///
    /// A client without a certificate can connect. One whose certificate is not from these
    /// authorities, or has expired, cannot. **Revocation lists are not read.** With the feature
    /// `mtls`, the extensions of the requests contain the certificate, as a
    /// `client::certificate::ClientCertificate`.
    ///
    /// # Errors
    ///
    /// Fails for the same reasons as [`from_pem`](Self::from_pem), and if the authorities cannot be
    /// read.
    pub fn for_clients_of(chain: &[u8], key: &[u8], authorities: &[u8]) -> Result<Self, Error> {
        let clients = verifier(authorities)?;
        Self::new(chain, key, Some(clients))
    }

    fn new(chain: &[u8], key: &[u8], clients: Clients) -> Result<Self, Error> {
        let config = config(chain, key, clients.clone())?;
        let current = Current { config, clients };
        Ok(Self(Arc::new(RwLock::new(current))))
    }

    /// Replaces the certificate and the key, for the clones too.
    ///
    /// # Errors
    ///
    /// Fails for the same reasons as [`from_pem`](Self::from_pem). The former certificate stays.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), Error> {
        let config = config(chain, key, self.current().clients)?;
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .config = config;
        Ok(())
    }

    /// Replaces everything by what `other` has now: the certificate, the key and the authorities.
    pub fn replace_by(&self, other: &Self) {
        let current = other.current();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = current;
    }

    fn current(&self) -> Current {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    pub(super) async fn accept(&self, socket: Socket) -> io::Result<TlsStream<Socket>> {
        TlsAcceptor::from(self.current().config)
            .accept(socket)
            .await
    }
}

fn config(chain: &[u8], key: &[u8], clients: Clients) -> Result<Arc<ServerConfig>, Error> {
    let wrong = Error::configuration;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.map_err(|error| wrong("the certificate is not PEM").caused_by(error))?;
    if chain.is_empty() {
        return Err(wrong("the PEM contains no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| wrong("there is no private key in PEM").caused_by(error))?;
    let builder = tls::server_builder()?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| wrong("the key is not that of the certificate").caused_by(error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(authorities: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let roots = Arc::new(tls::parse_roots(authorities)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, tls::provider()?)
        .allow_unauthenticated()
        .build();
    let unusable = Error::configuration("the authorities of clients cannot be used");
    verifier.map_err(|error| unusable.caused_by(error))
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}
