//! The certificate of a server, which can be replaced while it serves.

use std::{
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::listener::Socket;
use crate::{proxy::Error, tls};

/// The certificate of a [`Server`](super::Server) and its key. Clones share them.
///
/// [`replace`](Self::replace) counts from the next handshake on. Open connections go on.
#[derive(Clone)]
pub struct ServerTls(Arc<RwLock<Arc<ServerConfig>>>);

impl ServerTls {
    /// Reads a certificate chain and its key, both in PEM. The certificate of the server comes
    /// first.
    ///
    /// # Errors
    ///
    /// Fails if they cannot be read or do not belong together, or if there is no crypto provider.
    /// See [`outbound`](crate::outbound) for the provider.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        let config = config(chain, key)?;
        Ok(Self(Arc::new(RwLock::new(config))))
    }

    /// Replaces the certificate and the key, for the clones too.
    ///
    /// # Errors
    ///
    /// Fails for the same reasons as [`from_pem`](Self::from_pem). The former certificate stays.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), Error> {
        let config = config(chain, key)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(super) async fn accept(&self, socket: Socket) -> io::Result<TlsStream<Socket>> {
        let config = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        TlsAcceptor::from(config).accept(socket).await
    }
}

fn config(chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, Error> {
    let wrong = Error::configuration;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let chain = chain.map_err(|error| wrong("the certificate is not PEM").caused_by(error))?;
    if chain.is_empty() {
        return Err(wrong("the PEM contains no certificate"));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| wrong("there is no private key in PEM").caused_by(error))?;
    let mut config = tls::server_builder()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong("the key is not that of the certificate").caused_by(error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}
