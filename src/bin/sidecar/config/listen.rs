//! An address to listen on, and its certificate.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use tower_revocation::client::Network;

use super::problem::{Problem, Problems};

/// The certificate of a listener: two files in PEM.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// The certificate, and those between it and a root.
    pub(crate) cert: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
    /// The authorities of the certificates of clients, in PEM. `None`: clients are not asked for one.
    pub(crate) client_ca: Option<PathBuf>,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Tls>,
}

impl Listen {
    /// Reads an address with its port. Names are refused: which address they have can change.
    pub(super) fn new(key: &str, text: &str, tls: Option<Tls>) -> Result<Self, Problem> {
        match text.parse() {
            Ok(address) => Ok(Self { address, tls }),
            Err(_) => Err(Problem::new(
                key,
                "expected an address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"",
            )),
        }
    }

    /// What passes here is secret: only this machine may reach it without TLS, unless the operator
    /// says that the network is protected.
    pub(super) fn confidential(self, section: &str, insecure: bool) -> Result<Self, Problem> {
        if self.address.ip().is_loopback() || self.tls.is_some() || insecure {
            return Ok(self);
        }
        Err(Problem::new(
            format!("{section}.listen"),
            format!(
                "{} is not a loopback address: add `tls`, or `insecure = true` if others cannot \
                 read and change what passes there",
                self.address
            ),
        ))
    }
}

/// The addresses and networks of proxies.
pub(super) fn networks(
    key: &str,
    texts: Option<Vec<String>>,
    found: &mut Problems,
) -> Vec<Network> {
    let texts = texts.unwrap_or_default().into_iter().enumerate();
    let networks = texts.filter_map(|(number, text)| {
        found.or_note(text.parse().map_err(|_| {
            Problem::new(
                format!("{key}[{number}]"),
                "expected an address or a network, such as \"10.0.0.0/8\"",
            )
        }))
    });
    networks.collect()
}
