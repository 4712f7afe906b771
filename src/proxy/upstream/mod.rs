//! Where the API is, and how to reach it.

mod base;
mod clients;
mod connection;
mod connector;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use rustls::RootCertStore;

use self::base::Base;
pub(super) use self::{base::Protocol, clients::Clients};
use super::Error;
use crate::tls;

/// Where an API is, and how to reach it.
///
/// The scheme of the URL chooses the protocol:
///
/// | scheme | protocol |
/// |---|---|
/// | `http` | HTTP/1.1, and HTTP/2 for gRPC |
/// | `h2c` | HTTP/2 without TLS, for everything |
/// | `https` | HTTP/2 if the API offers it in the TLS handshake, else HTTP/1.1 |
///
/// A WebSocket always needs HTTP/1.1, so `h2c` has none.
///
/// HTTP/2 connections are shared, and each stream holds at most 128 KiB of a body that the client or the
/// API does not read. An API that does not answer an HTTP/2 `PING` within 20 s has lost its connection.
/// The head of a response has at most 100 fields over HTTP/1.1, and 16 KiB over HTTP/2.
///
/// A path in the URL goes before the path of each request. A request whose path could leave that
/// base, such as `/../admin`, is refused.
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::proxy::Upstream;
///
/// # fn main() -> Result<(), tower_revocation::proxy::Error> {
/// let upstream = Upstream::new("http://127.0.0.1:3000/v1")?.head_timeout(Duration::from_secs(60));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "an upstream does nothing until a proxy has it"]
pub struct Upstream {
    pub(super) base: Base,
    /// Instead of those of the system.
    roots: Option<Arc<RootCertStore>>,
    connect_timeout: Duration,
    pub(super) head_timeout: Duration,
    idle_timeout: Duration,
}

impl Upstream {
    /// Creates an upstream with this base URL.
    ///
    /// # Errors
    ///
    /// Fails unless it is a URL of the scheme `http`, `https` or `h2c` with a host, and without
    /// user information, query and fragment.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self {
            base: Base::parse(url)?,
            roots: None,
            connect_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(5),
        })
    }

    /// The certificate authorities in PEM to trust instead of those of the system.
    ///
    /// # Errors
    ///
    /// Fails if there is no certificate, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.roots = Some(tls::parse_roots(pem)?.into());
        Ok(self)
    }

    /// Limits the time for a connection to the API, with its TLS handshake. Defaults to 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Limits the time that the API may take for the head of its response, and for accepting a
    /// part of the body of a request. Defaults to 30 s. The time of a slow client does not count,
    /// and neither does that of the body of a response. A connection whose API reads nothing for this
    /// time and a second is closed, also that of a WebSocket.
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.head_timeout = timeout;
        self
    }

    /// How long an unused connection to the API is kept. Defaults to 5 s.
    ///
    /// **It should be shorter than the same limit of the API.** A request on a connection that the
    /// API closes at that moment fails with 502, because a proxy must not send a request twice.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("base", &self.base)
            .field("has_own_roots", &self.roots.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .field("head_timeout", &self.head_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .finish()
    }
}
