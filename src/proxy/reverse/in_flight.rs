//! How many requests can be at the API at once, in all and of each client?

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hyper::http::Extensions;

use crate::client::{ClientAddr, PeerAddr, subscriber};

/// The requests that are at the API. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct InFlight(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    all: usize,
    /// Has as many entries as there are requests, at most.
    clients: HashMap<IpAddr, usize>,
}

/// One request, until the value is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    in_flight: InFlight,
    client: Option<IpAddr>,
}

impl InFlight {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Counts {
            all: 0,
            clients: HashMap::new(),
        })))
    }

    /// Returns a permit, unless there are `limit` requests, or an eighth of them are those of this
    /// client. A client without an address has no limit of its own.
    pub(super) fn permit(&self, limit: usize, extensions: &Extensions) -> Option<Permit> {
        let reported = extensions.get().map(|ClientAddr(client)| *client);
        let connected = || extensions.get().map(|PeerAddr(peer)| peer.ip());
        let client = reported.or_else(connected).map(subscriber);
        let mut counts = self.lock();
        if counts.all >= limit {
            return None;
        }
        if let Some(client) = client {
            let requests = counts.clients.entry(client).or_default();
            if *requests >= limit.div_ceil(8) {
                return None;
            }
            *requests += 1;
        }
        counts.all += 1;
        Some(Permit {
            in_flight: self.clone(),
            client,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.in_flight.lock();
        counts.all -= 1;
        let Some(client) = self.client else {
            return;
        };
        if let Some(requests) = counts.clients.get_mut(&client) {
            *requests -= 1;
            if *requests == 0 {
                counts.clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn of(address: &str) -> Extensions {
        let mut extensions = Extensions::new();
        let address = address.parse().unwrap();
        extensions.insert(PeerAddr(SocketAddr::new(address, 1)));
        extensions
    }

    #[test]
    fn one_client_leaves_room_for_others() {
        let in_flight = InFlight::new();
        let ask = |address: &str| in_flight.permit(16, &of(address));
        let first = ask("192.0.2.1").unwrap();
        let _second = ask("192.0.2.1").unwrap();
        assert!(ask("192.0.2.1").is_none());
        assert!(ask("::ffff:192.0.2.1").is_none());
        let others: Vec<_> = (2..9)
            .flat_map(|it| {
                let address = format!("192.0.2.{it}");
                [ask(&address).unwrap(), ask(&address).unwrap()]
            })
            .collect();
        assert!(ask("192.0.2.9").is_none());
        drop(others);
        drop(first);
        assert!(ask("192.0.2.1").is_some());
        assert_eq!(in_flight.lock().clients.len(), 1);
    }

    #[test]
    fn client_that_a_trusted_proxy_reports_counts() {
        let in_flight = InFlight::new();
        let behind = |client: &str| {
            let mut extensions = of("192.0.2.1");
            extensions.insert(ClientAddr(client.parse().unwrap()));
            in_flight.permit(8, &extensions)
        };
        let _first = behind("203.0.113.1").unwrap();
        assert!(behind("203.0.113.1").is_none());
        assert!(behind("203.0.113.2").is_some());
        let unix = [(); 2].map(|()| in_flight.permit(8, &Extensions::new()));
        assert!(unix.iter().all(Option::is_some));
    }
}
