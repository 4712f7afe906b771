//! TLS around a connection to the database.

use std::{future::Future, io, pin::Pin, sync::Arc};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use super::{fault::Fault, stream::Encrypted};
use crate::tls::Files;

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
        let mut config = files.config().map_err(Fault::misconfigured)?;
        // Demanded from a client that begins with TLS, without asking first.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self(Some(TlsConnector::from(Arc::new(config)))))
    }
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
