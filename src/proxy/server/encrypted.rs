//! What TLS knows of a connection.

use hyper::http::Extensions;
use rustls::ServerConnection;
use tower::BoxError;

use super::OverTls;
#[cfg(feature = "mtls")]
use crate::client::certificate::ClientCertificate;

/// A connection over TLS, after its handshake.
pub(super) struct Encrypted {
    #[cfg(feature = "mtls")]
    client: Option<ClientCertificate>,
}

impl Encrypted {
    /// # Errors
    ///
    /// Fails if the certificate of the client cannot be read.
    #[cfg(feature = "mtls")]
    pub(super) fn new(connection: &ServerConnection) -> Result<Self, BoxError> {
        let chain = connection.peer_certificates().unwrap_or_default();
        let Some((first, rest)) = chain.split_first() else {
            return Ok(Self { client: None });
        };
        // The verifier of the handshake has verified the chain.
        let client = ClientCertificate::verified(first.as_ref())?;
        let client = client.chain(rest.iter().map(|it| it.as_ref().to_vec()));
        Ok(Self {
            client: Some(client),
        })
    }

    #[cfg(not(feature = "mtls"))]
    #[expect(clippy::unnecessary_wraps, reason = "with `mtls` it can fail")]
    pub(super) fn new(_: &ServerConnection) -> Result<Self, BoxError> {
        Ok(Self {})
    }

    /// Tells the services of a request.
    pub(super) fn tell(&self, extensions: &mut Extensions) {
        let Self {
            #[cfg(feature = "mtls")]
            client,
        } = self;
        extensions.insert(OverTls);
        #[cfg(feature = "mtls")]
        if let Some(client) = client {
            extensions.insert(client.clone());
        }
    }
}
