//! Limits the connections, in all and of each address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{client::subscriber, proxy::observe::OpenConnection};

/// The limits of one listener.
pub(super) struct Limits {
    all: Arc<Semaphore>,
    per_address: usize,
    /// Has as many entries as there are connections, at most.
    addresses: Arc<Addresses>,
}

/// The connections of each address.
type Addresses = Mutex<HashMap<IpAddr, usize>>;

/// One of all connections, whose address is not known yet.
pub(super) struct AnyPermit<'a> {
    limits: &'a Limits,
    all: OwnedSemaphorePermit,
}

/// One connection, until the value is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    address: Option<(IpAddr, Arc<Addresses>)>,
    _all: OwnedSemaphorePermit,
    _open: OpenConnection,
}

impl Limits {
    pub(super) fn new(all: usize, per_address: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS))),
            per_address,
            addresses: Arc::default(),
        }
    }

    /// Waits until there may be one more connection.
    pub(super) async fn permit(&self) -> AnyPermit<'_> {
        let all = self.all.clone().acquire_owned().await;
        AnyPermit {
            limits: self,
            all: all.expect("the semaphore is never closed"),
        }
    }
}

impl AnyPermit<'_> {
    /// Returns the permit, unless this address has too many. A peer without an address has no limit
    /// of its own.
    pub(super) fn of(self, address: Option<IpAddr>) -> Option<Permit> {
        let Self { limits, all } = self;
        let address = match address.map(subscriber) {
            None => None,
            Some(address) => {
                let mut addresses = lock(&limits.addresses);
                let connections = addresses.entry(address).or_default();
                if *connections >= limits.per_address {
                    if *connections == 0 {
                        addresses.remove(&address);
                    }
                    return None;
                }
                *connections += 1;
                Some((address, limits.addresses.clone()))
            }
        };
        Some(Permit {
            address,
            _all: all,
            _open: OpenConnection::new(),
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some((address, addresses)) = self.address.take() {
            let mut addresses = lock(&addresses);
            if let Some(connections) = addresses.get_mut(&address) {
                *connections -= 1;
                if *connections == 0 {
                    addresses.remove(&address);
                }
            }
        }
    }
}

fn lock(addresses: &Addresses) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    addresses.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::Limits;

    #[test]
    fn one_address_leaves_room_for_others() {
        let limits = Limits::new(3, 2);
        let open = |address: &str| {
            let permit = limits.permit().now_or_never()?;
            Some(permit.of(Some(address.parse().unwrap())))
        };
        let first = open("192.0.2.1").unwrap().unwrap();
        let _second = open("192.0.2.1").unwrap().unwrap();
        assert!(open("192.0.2.1").unwrap().is_none());
        assert!(open("::ffff:192.0.2.1").unwrap().is_none());
        let third = open("192.0.2.2").unwrap().unwrap();
        assert!(open("192.0.2.3").is_none());
        drop(third);
        assert!(open("192.0.2.1").unwrap().is_none());
        drop(first);
        assert!(open("192.0.2.1").unwrap().is_some());
        assert_eq!(limits.addresses.lock().unwrap().len(), 1);
    }

    #[test]
    fn one_subscriber_is_one_address() {
        let limits = Limits::new(10, 1);
        let open = |address: &str| {
            let permit = limits.permit().now_or_never().unwrap();
            permit.of(Some(address.parse().unwrap()))
        };
        let _first = open("2001:db8::1").unwrap();
        assert!(open("2001:db8::2").is_none());
        assert!(open("2001:db8:0:1::1").is_some());
        let unix = [(), ()].map(|()| limits.permit().now_or_never().unwrap().of(None));
        assert!(unix.iter().all(Option::is_some));
    }
}
