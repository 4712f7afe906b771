//! A TLS server that requests client certificates, and a client that presents them.

use std::{
    convert::Infallible,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    client,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use rcgen::CertificateParams;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        self, ALL_VERSIONS, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig,
        SignatureScheme, SupportedProtocolVersion,
        client::danger::HandshakeSignatureValid,
        crypto::{CryptoProvider, aws_lc_rs},
        pki_types::{CertificateDer, ServerName, UnixTime},
        server::{
            WebPkiClientVerifier,
            danger::{ClientCertVerified, ClientCertVerifier},
        },
    },
};
use tower::{BoxError, Service, ServiceExt as _};
use tower_revocation::{
    Error,
    client::{PeerAddr, certificate::ClientCertificate},
};

use crate::{
    authority::{Authority, Identity},
    fixture::Reply,
};

/// A service over TLS on the loopback interface.
pub(crate) struct Server {
    address: SocketAddr,
    root: CertificateDer<'static>,
    /// The errors, which the responses do not show.
    errors: mpsc::UnboundedReceiver<Option<Error>>,
}

impl Server {
    /// Trusts client certificates of this authority.
    pub(crate) async fn start<S, B>(authority: &Authority, service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = BoxError>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes, Error: fmt::Debug> + Send + 'static,
    {
        let of_servers = Authority::new("Servers");
        let leaf = CertificateParams::new(["as.example".to_owned()]).unwrap();
        let leaf = of_servers.issue(&leaf);
        let mut roots = RootCertStore::empty();
        roots.add(authority.root()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
        let verifier = verifier.build().unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(ALL_VERSIONS)
            .unwrap()
            .with_client_cert_verifier(Arc::new(AnyCertificate(verifier.clone())))
            .with_single_cert(vec![leaf.certificate], leaf.key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, errors) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let (acceptor, verifier) = (acceptor.clone(), verifier.clone());
                let (service, seen) = (service.clone(), seen.clone());
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await.unwrap();
                    let shown = stream.get_ref().1.peer_certificates();
                    let shown = shown.map(|certificates| checked(&*verifier, certificates));
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (service, seen) = (service.clone(), seen.clone());
                        let shown = shown.clone();
                        async move { response(service, request, peer, shown, &seen).await }
                    });
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            root: of_servers.root(),
            errors,
        }
    }

    pub(crate) async fn ask(
        &mut self,
        identity: Option<&Identity>,
        request: Request<String>,
    ) -> Reply {
        self.ask_by(ALL_VERSIONS, identity, request).await
    }

    /// The same, over these versions of TLS.
    pub(crate) async fn ask_by(
        &mut self,
        versions: &[&'static SupportedProtocolVersion],
        identity: Option<&Identity>,
        mut request: Request<String>,
    ) -> Reply {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some(Identity { certificate, key }) => config
                .with_client_auth_cert(vec![certificate.clone()], key.clone_key())
                .unwrap(),
        };
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("as.example").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.unwrap();
        let io = TokioIo::new(stream);
        let (mut sender, connection) = client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);

        let headers = request.headers_mut();
        headers.insert("host", "as.example".parse().unwrap());
        let request = request.map(Full::<Bytes>::from);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let mut headers = head.headers;
        headers.remove("date");
        Reply {
            status: head.status,
            headers,
            body: body.collect().await.unwrap().to_bytes(),
            error: self.errors.recv().await.unwrap(),
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The handshake has proven that the peer has the key. This checks whether the authority issued the
/// certificate.
fn checked(
    verifier: &dyn ClientCertVerifier,
    certificates: &[CertificateDer<'_>],
) -> ClientCertificate {
    let (leaf, chain) = certificates.split_first().unwrap();
    let checked = match verifier.verify_client_cert(leaf, chain, UnixTime::now()) {
        Ok(_) => ClientCertificate::verified(leaf.as_ref()),
        Err(_) => ClientCertificate::unverified(leaf.as_ref()),
    };
    let chain = chain.iter().map(AsRef::as_ref);
    checked.unwrap().chain(chain)
}

async fn response<S, B>(
    service: S,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    shown: Option<ClientCertificate>,
    seen: &mpsc::UnboundedSender<Option<Error>>,
) -> Result<Response<Full<Bytes>>, Infallible>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = BoxError>,
    B: Body<Data = Bytes, Error: fmt::Debug>,
{
    request.extensions_mut().insert(PeerAddr(peer));
    if let Some(shown) = shown {
        request.extensions_mut().insert(shown);
    }
    let response = service.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let _ = seen.send(head.extensions.get::<Error>().cloned());
    let body = body.collect().await.unwrap().to_bytes();
    Ok(Response::from_parts(head, body.into()))
}

/// Requests a certificate, does not require one, and accepts every certificate whose key the peer
/// has.
#[derive(Debug)]
struct AnyCertificate(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
