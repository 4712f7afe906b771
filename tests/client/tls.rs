//! A real server within TLS, which asks for certificates; and real clients that show them.

use std::{convert::Infallible, net::Ipv4Addr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{
    Request, Response, body::Incoming, client, header, server::conn::http1,
    service::service_fn as serve_fn,
};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
        SignatureScheme, SupportedProtocolVersion,
        client::danger::HandshakeSignatureValid,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
        server::{
            WebPkiClientVerifier,
            danger::{ClientCertVerified, ClientCertVerifier},
        },
    },
};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::client::{
    certificate::ClientCertificate,
    registry::{ClientAuthenticator, Registry},
};

use crate::fixture::layer;

/// A key pair, and a certificate for it.
pub(crate) struct Shown {
    pub(crate) key: KeyPair,
    pub(crate) certificate: CertificateDer<'static>,
}

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn for_clients(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

impl Shown {
    pub(crate) fn of(authority: &Authority, params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, authority).unwrap().der().clone();
        Self { key, certificate }
    }

    pub(crate) fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { key, certificate }
    }
}

/// The revocation endpoint on a port, for these clients.
pub(crate) struct Server {
    port: u16,
    trust: RootCertStore,
}

impl Server {
    pub(crate) async fn start(clients: Registry, authority: &Authority) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut trust = RootCertStore::empty();
        trust.add(authority.der().clone()).unwrap();
        let vouches =
            WebPkiClientVerifier::builder_with_provider(trust.clone().into(), provider.clone())
                .build()
                .unwrap();
        let shown = Shown::of(
            authority,
            &CertificateParams::new(["localhost".to_owned()]).unwrap(),
        );
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(Arc::new(Any(vouches.clone())))
            .with_single_cert(
                vec![shown.certificate],
                PrivateKeyDer::try_from(shown.key.serialize_der()).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = service_fn(async |_: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        });
        let service = layer(ClientAuthenticator::new(clients).certificates()).layer(inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, vouches) = (acceptor.clone(), vouches.clone());
                let service = service.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let certificate = match stream.get_ref().1.peer_certificates() {
                        Some([leaf, chain @ ..]) => Some(
                            match vouches.verify_client_cert(leaf, chain, UnixTime::now()) {
                                Ok(_) => ClientCertificate::verified(leaf.as_ref()),
                                Err(_) => ClientCertificate::unverified(leaf.as_ref()),
                            }
                            .unwrap(),
                        ),
                        _ => None,
                    };
                    let service = serve_fn(move |mut request: Request<Incoming>| {
                        if let Some(certificate) = &certificate {
                            request.extensions_mut().insert(certificate.clone());
                        }
                        service.clone().oneshot(request)
                    });
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { port, trust }
    }

    /// The status of a revocation with this body, by a client that shows this or nothing.
    pub(crate) async fn status(&self, shown: Option<&Shown>, body: &str) -> u16 {
        self.status_by(&rustls::version::TLS13, shown, None, body)
            .await
    }

    pub(crate) async fn status_by(
        &self,
        version: &'static SupportedProtocolVersion,
        shown: Option<&Shown>,
        authorization: Option<&str>,
        body: &str,
    ) -> u16 {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.trust.clone());
        let config = match shown {
            None => config.with_no_client_auth(),
            Some(Shown { key, certificate }) => config
                .with_client_auth_cert(
                    vec![certificate.clone()],
                    PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
                )
                .unwrap(),
        };
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let mut request = Request::post("/revoke")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::<Bytes>::from(body.to_owned())).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        response.into_body().collect().await.unwrap();
        status
    }
}

/// Takes any certificate whose key the peer has. Who vouches for it is another question.
#[derive(Debug)]
struct Any(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Any {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
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
