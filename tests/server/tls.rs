//! TLS in front of a server that has none, and a client that trusts it.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    },
};
use tower::BoxError;

/// A certificate for `localhost`, and a port that shows it.
pub(crate) struct Front {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
    pem: String,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

impl Front {
    pub(crate) async fn bind() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            listener,
            address,
            acceptor: Arc::new(config).into(),
            certificate,
            pem: made.cert.pem(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Its certificate, for those who are to trust it.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Hands every connection on to the plain server behind.
    pub(crate) fn serve(self, behind: String) -> Https {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (listener, acceptor) = (self.listener, self.acceptor);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(acceptor.clone(), stream, behind.clone()));
            }
        });
        Https {
            address: self.address,
            connector: Arc::new(config).into(),
        }
    }
}

async fn relay(acceptor: TlsAcceptor, stream: TcpStream, behind: String) -> io::Result<()> {
    let mut front = acceptor.accept(stream).await?;
    let mut behind = TcpStream::connect(behind).await?;
    copy_bidirectional(&mut front, &mut behind).await?;
    Ok(())
}

/// A client that trusts one certificate.
#[derive(Clone)]
pub(crate) struct Https {
    address: SocketAddr,
    connector: TlsConnector,
}

impl Https {
    pub(crate) async fn send(
        self,
        mut request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, io::Error> {
        let host = request
            .uri()
            .authority()
            .expect("an absolute URI")
            .as_str()
            .parse()
            .unwrap();
        request.headers_mut().insert(header::HOST, host);
        *request.uri_mut() = request
            .uri()
            .path_and_query()
            .unwrap()
            .as_str()
            .parse()
            .unwrap();
        self.exchange(request.map(|body| Full::new(Bytes::from(body))))
            .await
            .map_err(io::Error::other)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Vec<u8>>, BoxError> {
        let stream = TcpStream::connect(self.address).await?;
        let stream = self
            .connector
            .connect(ServerName::try_from("localhost")?, stream)
            .await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(
            head,
            body.collect().await?.to_bytes().to_vec(),
        ))
    }
}
