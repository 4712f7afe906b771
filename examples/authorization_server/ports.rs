//! The ports that the server listens on.

use std::{error::Error, net::SocketAddr};

use tokio::net::TcpListener;

use crate::{config::Config, keys::Keys, tls::Tls};

pub(crate) struct Ports {
    pub(crate) plain: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<(TcpListener, Tls)>,
    /// The base URL of the endpoints behind TLS.
    pub(crate) tls_base: Option<String>,
}

impl Ports {
    pub(crate) async fn bind(config: &Config, keys: &Keys) -> Result<Self, Box<dyn Error>> {
        let plain = config.listen.bind().await?;
        let address = plain.local_addr()?;
        let (mut tls, mut tls_base) = (None, None);
        if let Some(listen) = &config.tls_listen {
            let acceptor = Tls::new(keys).map_err(|error| config.keys.wrong(error))?;
            let listener = listen.bind().await?;
            let port = listener.local_addr()?.port();
            tls_base = Some(format!("https://localhost:{port}"));
            tls = Some((listener, acceptor));
        }
        Ok(Self {
            plain,
            address,
            tls,
            tls_base,
        })
    }

    /// The issuer identifier if `ISSUER` is not set.
    pub(crate) fn issuer(&self) -> String {
        match self.address.ip() {
            ip if ip.is_loopback() => format!("http://{}", self.address),
            // Plain HTTP is for this machine only.
            _ => format!("http://localhost:{}", self.address.port()),
        }
    }
}
