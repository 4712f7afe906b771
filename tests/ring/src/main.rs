//! An application that uses rustls with ring and only TLS 1.3, and the features of this crate that
//! use rustls.
//!
//! rustls selects its crypto provider if the dependencies of the application enable exactly one,
//! and panics if they enable two. So this crate enables one only by a feature for that purpose.

use std::{convert::Infallible, error::Error, net::SocketAddr, sync::Arc};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ProtocolVersion, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::upstream::Upstream,
    jose::{RemoteKeys, RemoteKeysBuilder},
};

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
const INACTIVE: &str = r#"{"active":false}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let remote = || {
        let remote = RemoteKeys::builder().allow_private_addresses(true);
        let remote = remote.trusted_ca(cert.pem().as_bytes());
        remote.map(RemoteKeysBuilder::build)
    };

    // This crate has added no TLS version.
    let versions = rustls::DEFAULT_VERSIONS
        .iter()
        .map(|version| version.version);
    assert_eq!(versions.collect::<Vec<_>>(), [ProtocolVersion::TLSv1_3]);

    // No provider is installed yet: the error says so, and this crate installs none.
    let refused = remote()?.keys("https://localhost:1/keys", None).await;
    let error = refused.err().ok_or("a provider is already installed")?;
    assert!(error.to_string().contains("crypto provider"), "{error}");
    assert!(CryptoProvider::get_default().is_none());

    // `http` needs no provider.
    let address = listen(None).await?;
    let upstream = Upstream::builder(format!("http://{address}/introspect")).build()?;
    let answer = upstream.oneshot(Secret::new("45ghiukldjahdnhzdauz")).await;
    println!("over http: {:?}", answer?);

    // There is exactly one provider, so rustls does not panic.
    let key = PrivateKeyDer::from_pem_slice(signing_key.serialize_pem().as_bytes())?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)?;

    // This crate uses the provider of the application.
    let address = listen(Some(Arc::new(config).into())).await?;
    let uri = format!("https://localhost:{}/keys", address.port());
    println!("over https: {:?}", remote()?.keys(&uri, None).await?);
    Ok(())
}

/// A server with keys, and with introspection that knows no token.
async fn listen(tls: Option<TlsAcceptor>) -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &tls {
                None => serve(stream).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream).await,
                    Err(error) => eprintln!("handshake: {error}"),
                },
            }
        }
    });
    Ok(address)
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let answer = service_fn(async |request: Request<_>| {
        let _: &hyper::body::Incoming = request.body();
        let body = if request.uri().path() == "/keys" {
            KEYS
        } else {
            INACTIVE
        };
        let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
        let media_type = "application/json".parse().expect("a field's value");
        response.headers_mut().insert("content-type", media_type);
        Ok::<_, Infallible>(response)
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = served.await {
        eprintln!("connection: {error}");
    }
}
