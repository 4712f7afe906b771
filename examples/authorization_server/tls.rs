//! TLS with client certificates. Reports whether the authority of the demo issued the certificate
//! (RFC 8705 §2).

use std::{error::Error, io, sync::Arc, time::Duration};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
        SignatureScheme,
        client::danger::HandshakeSignatureValid,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
        server::{
            WebPkiClientVerifier,
            danger::{ClientCertVerified, ClientCertVerifier},
        },
    },
    server::TlsStream,
};
use tower_revocation::client::certificate::ClientCertificate;

use crate::keys::Keys;

/// How long a handshake may take.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    authority: Arc<dyn ClientCertVerifier>,
}

impl Tls {
    pub(crate) fn new(keys: &Keys) -> Result<Self, Box<dyn Error>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(
            keys.read("ca.pem")?.as_bytes(),
        )?)?;
        let authority =
            WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build()?;

        let chain = vec![CertificateDer::from_pem_slice(
            keys.read("server.pem")?.as_bytes(),
        )?];
        let key = PrivateKeyDer::from_pem_slice(keys.read("server.key")?.as_bytes())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(AnyCertificate(authority.clone())))
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority,
        })
    }

    /// Accepts a connection. Returns it with the certificate of its peer.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<ClientCertificate>)> {
        let accepted = tokio::time::timeout(TIMEOUT, self.acceptor.accept(stream));
        let stream = accepted.await.map_err(io::Error::from)??;
        let certificate = match stream.get_ref().1.peer_certificates() {
            Some([certificate, chain @ ..]) => Some(self.verify(certificate, chain)?),
            _ => None,
        };
        Ok((stream, certificate))
    }

    /// The handshake has proven that the peer has the key. Only `tls_client_auth` also requires
    /// that the authority has issued the certificate.
    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
    ) -> io::Result<ClientCertificate> {
        let verified = self
            .authority
            .verify_client_cert(certificate, chain, UnixTime::now());
        let certificate = match verified {
            Ok(_) => ClientCertificate::verified(certificate.as_ref()),
            Err(_) => ClientCertificate::unverified(certificate.as_ref()),
        };
        let certificate =
            certificate.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(certificate.chain(chain.iter().map(AsRef::as_ref)))
    }
}

/// Asks for a certificate, but does not require one. Accepts every certificate whose key the peer
/// has: the authenticator compares a self-signed one with the client's registration later.
#[derive(Debug)]
struct AnyCertificate(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// Empty, because with names here, a client with a self-signed certificate would not send it.
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
