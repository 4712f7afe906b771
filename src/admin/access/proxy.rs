//! Operators that a trusted proxy names in a header field.

use std::sync::Arc;

use hyper::{header::HeaderName, http::request::Parts};

use super::{Access, Kind};
use crate::client::{Network, PeerAddr};

/// The field in which a proxy names an operator, and which proxies are believed.
#[derive(Clone, Debug)]
pub(super) struct ProxyNames {
    field: HeaderName,
    proxies: Arc<[Network]>,
}

impl Access {
    /// Believes these proxies who sends a request: the field contains the name of an operator, such
    /// as `x-forwarded-user`. It has to be one of the [`Operators`](super::Operators) whose
    /// credential is `proxy`.
    ///
    /// A request is of a proxy if its [`PeerAddr`] is in one of these networks. **The proxy has to
    /// remove the field from the requests of its clients, in every spelling**, and only the proxy
    /// should be able to connect: a process on the same machine may have the same address.
    ///
    /// Has no effect on [`owner`](Self::owner).
    ///
    /// ```
    /// use hyper::header::HeaderName;
    /// use tower_revocation::admin::{Access, Operators};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let operators = Operators::parse("alice@example.com viewer proxy")?;
    /// let field = HeaderName::from_static("x-forwarded-user");
    /// let access = Access::operators(operators).proxy_names(field, ["10.0.0.7".parse()?]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn proxy_names(
        mut self,
        field: HeaderName,
        proxies: impl IntoIterator<Item = Network>,
    ) -> Self {
        if let Kind::Operators { proxy, .. } = &mut self.0 {
            *proxy = Some(ProxyNames {
                field,
                proxies: proxies.into_iter().collect(),
            });
        }
        self
    }
}

impl ProxyNames {
    /// The name in the request of a proxy. `None` if the field is repeated.
    pub(super) fn name<'a>(&self, head: &'a Parts) -> Option<&'a str> {
        let PeerAddr(peer) = head.extensions.get()?;
        let mut proxies = self.proxies.iter();
        proxies.find(|network| network.contains(peer.ip()))?;
        let mut fields = head.headers.get_all(&self.field).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return None;
        };
        field.to_str().ok()
    }
}
