//! Which peers are ours?

use std::{fmt, net::IpAddr, str::FromStr};

/// A network of IP addresses, or a single one: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`.
///
/// An IPv4 address that is written into an IPv6 one (`::ffff:192.0.2.7`) is that IPv4 address: so
/// sockets of both families report it.
///
/// ```
/// use tower_revocation::client::certificate::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!(!network.contains("192.0.2.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Canonical, and zero beyond the prefix.
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether the address is one of the network's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    /// **An address with more bits than its prefix is refused**: of `10.0.0.1/8` nobody can say
    /// whether one host was meant, or sixteen million.
    fn from_str(written: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = match written.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (written, None),
        };
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let Some(prefix) = prefix else {
            return Ok(address.into());
        };
        // `u8` would read `+8`, too.
        if !prefix.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(InvalidNetwork);
        }
        let mut prefix: u8 = prefix.parse().map_err(|_| InvalidNetwork)?;
        if prefix > width(address) {
            return Err(InvalidNetwork);
        }
        let canonical = address.to_canonical();
        if canonical.is_ipv4() && address.is_ipv6() {
            prefix = prefix.checked_sub(96).ok_or(InvalidNetwork)?;
        }
        if masked(canonical, prefix) != canonical {
            return Err(InvalidNetwork);
        }
        Ok(Self {
            address: canonical,
            prefix,
        })
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            prefix: width(address),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with zeros beyond the prefix.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let dropped = u32::from(width(address) - prefix);
    // A shift by the whole width is none that `<<` would do.
    match address {
        IpAddr::V4(address) => {
            IpAddr::V4((address.to_bits() & u32::MAX.checked_shl(dropped).unwrap_or(0)).into())
        }
        IpAddr::V6(address) => {
            IpAddr::V6((address.to_bits() & u128::MAX.checked_shl(dropped).unwrap_or(0)).into())
        }
    }
}

/// The text is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidNetwork;

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a network is an address, or an address, `/` and the length of its prefix, with no bits beyond it")
    }
}

impl std::error::Error for InvalidNetwork {}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let network: Network = network.parse().unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_contains_what_has_its_prefix() {
        assert!(contains("10.0.0.0/8", "10.255.0.1"));
        assert!(contains("192.0.2.7", "192.0.2.7"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(contains("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(contains("::/0", "2001:db8::1"));
        for (network, address) in [
            ("10.0.0.0/8", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.6"),
            ("2001:db8::/33", "2001:db8:8000::1"),
            ("::/0", "192.0.2.7"),
            ("0.0.0.0/0", "::1"),
        ] {
            assert!(!contains(network, address), "{address} in {network}");
        }
    }

    #[test]
    fn a_mapped_address_is_the_address_that_it_maps() {
        assert!(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
        assert!(contains("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(contains("::ffff:10.0.0.0/104", "10.2.3.4"));
        assert!(!contains("::ffff:10.0.0.0/104", "11.2.3.4"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for written in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.1/8",
            "10.0.0/8",
            "fe80::1%eth0",
            " 10.0.0.0/8",
            "host.example",
            "::ffff:0.0.0.0/90",
            "10.0.0.0/256",
        ] {
            assert!(written.parse::<Network>().is_err(), "{written:?}");
        }
    }
}
