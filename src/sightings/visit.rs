//! Where does a request come from?

use hyper::{HeaderMap, header::USER_AGENT, http::Extensions};

use super::{Browser, CutAddress};
use crate::client::{ClientAddr, PeerAddr};

/// Where a request comes from: the family of the browser, and the network of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) browser: Browser,
    pub(super) network: Option<CutAddress>,
}

impl Visit {
    /// Reads the head of a request. The address is [`ClientAddr`], or else [`PeerAddr`].
    pub(super) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let browser = headers.get(USER_AGENT);
        let reported = extensions.get().map(|ClientAddr(client)| *client);
        let connected = || extensions.get().map(|PeerAddr(peer)| peer.ip());
        Self {
            browser: browser.map_or(Browser::Other, |field| Browser::of(field.as_bytes())),
            network: reported.or_else(connected).map(CutAddress::of),
        }
    }

    /// All of it in one word, so that it can be replaced without a lock.
    pub(super) fn to_bits(self) -> u64 {
        let network = self.network.map_or(0, CutAddress::to_bits);
        (self.browser as u64) << 56 | network
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self {
            browser: Browser::from_byte(bits.to_be_bytes()[0]),
            network: CutAddress::from_bits(bits & ((1 << 56) - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reported_client_counts_before_the_peer() {
        let mut extensions = Extensions::new();
        let headers = HeaderMap::new();
        assert_eq!(Visit::of(&headers, &extensions).network, None);
        extensions.insert(PeerAddr("198.51.100.7:40000".parse().unwrap()));
        let network = |extensions: &Extensions| {
            let network = Visit::of(&headers, extensions).network;
            network.map(|network| network.to_string())
        };
        assert_eq!(network(&extensions).as_deref(), Some("198.51.100.0/24"));
        extensions.insert(ClientAddr("203.0.113.9".parse().unwrap()));
        assert_eq!(network(&extensions).as_deref(), Some("203.0.113.0/24"));
    }

    #[test]
    fn visit_survives_as_bits() {
        for network in [None, Some("203.0.113.9"), Some("2001:db8:7::1")] {
            let network = network.map(|it| CutAddress::of(it.parse().unwrap()));
            for browser in [Browser::Other, Browser::Samsung] {
                let visit = Visit { browser, network };
                assert_eq!(Visit::from_bits(visit.to_bits()), visit);
            }
        }
    }
}
