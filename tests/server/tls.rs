//! TLS in front of a server that has none.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// A port with TLS and a certificate for `localhost`.
pub(crate) struct Front {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    pem: String,
}

impl Front {
    pub(crate) async fn bind() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            listener,
            address,
            acceptor: Arc::new(config).into(),
            pem: made.cert.pem(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The certificate, for a client that trusts it.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Forwards every connection to the plain server at this address.
    pub(crate) fn serve(self, behind: String) {
        let (listener, acceptor) = (self.listener, self.acceptor);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(acceptor.clone(), stream, behind.clone()));
            }
        });
    }
}

async fn relay(acceptor: TlsAcceptor, stream: TcpStream, behind: String) -> io::Result<()> {
    let mut front = acceptor.accept(stream).await?;
    let mut behind = TcpStream::connect(behind).await?;
    copy_bidirectional(&mut front, &mut behind).await?;
    Ok(())
}
