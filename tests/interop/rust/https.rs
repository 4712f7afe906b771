//! A client that trusts one certificate.

use std::{io, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};
use tower::BoxError;

#[derive(Clone)]
pub(crate) struct Https {
    address: String,
    connector: TlsConnector,
}

impl Https {
    /// A client of the server at `https://localhost:PORT` with this certificate.
    pub(crate) fn to(url: &str, pem: &str) -> Self {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        roots.add(certificate).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let port = url.strip_prefix("https://localhost:").unwrap();
        Self {
            address: format!("127.0.0.1:{port}"),
            connector: Arc::new(config).into(),
        }
    }

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
        let stream = TcpStream::connect(&self.address).await?;
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
