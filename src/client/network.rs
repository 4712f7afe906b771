//! Networks of trusted proxies.

use std::{fmt, net::IpAddr, str::FromStr};

use cidr::IpCidr;

/// A network of IP addresses, or a single address: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`.
///
/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.7`) is treated as the IPv4 address that it maps,
/// because a socket that serves both families reports IPv4 peers in this form.
///
/// ```
/// use tower_revocation::client::Network;
///
/// let network: Network = "10.0.0.0/8".parse()?;
/// assert!(network.contains("10.1.2.3".parse()?));
/// assert!(!network.contains("192.0.2.7".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(
    /// Never an IPv4-mapped network: those are stored as IPv4.
    IpCidr,
);

impl Network {
    /// Returns whether the network contains the address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    /// Parses an address, or an address, `/` and a prefix length.
    ///
    /// **An address with bits beyond its prefix is an error**: `10.0.0.1/8` could mean one host or
    /// sixteen million.
    ///
    /// # Errors
    ///
    /// Fails if the text is neither, if the prefix is longer than the address, and for leading
    /// zeros (`010.0.0.0/8`), shortened addresses (`10.0.0/8`) and zone identifiers
    /// (`fe80::1%eth0`).
    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        // `cidr` parses the prefix as a `u8`, which accepts `+8`.
        if text.contains('+') {
            return Err(InvalidNetwork);
        }
        let network: IpCidr = text.parse().map_err(|_| InvalidNetwork)?;
        let mapped = match network.first_address() {
            IpAddr::V6(address) => address.to_ipv4_mapped(),
            IpAddr::V4(_) => None,
        };
        let Some(address) = mapped else {
            return Ok(Self(network));
        };
        // A shorter prefix cannot occur: the bits of `::ffff:0:0` would be host bits.
        let prefix = network.network_length().checked_sub(96);
        let network = IpCidr::new(address.into(), prefix.ok_or(InvalidNetwork)?);
        network.map(Self).map_err(|_| InvalidNetwork)
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(IpCidr::new_host(address.to_canonical()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.first_address(), self.0.network_length())
    }
}

/// The text is not a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidNetwork;

impl fmt::Display for InvalidNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a network is an address, or an address, `/` and a prefix length, with no bits set beyond \
             the prefix",
        )
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
    fn network_contains_addresses_with_its_prefix() {
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
    fn mapped_address_counts_as_ipv4() {
        assert!(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
        assert!(contains("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(contains("::ffff:10.0.0.0/104", "10.2.3.4"));
        assert!(!contains("::ffff:10.0.0.0/104", "11.2.3.4"));
        assert!(contains("::ffff:0:0/96", "192.0.2.7"));
        assert!(!contains("::ffff:0:0/96", "::1"));
        let mapped: Network = "::ffff:10.0.0.0/104".parse().unwrap();
        assert_eq!(mapped, "10.0.0.0/8".parse().unwrap());
        assert_eq!(mapped.to_string(), "10.0.0.0/8");
    }

    #[test]
    fn invalid_network_is_refused() {
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
            // Octal to some readers, decimal to others.
            "010.0.0.0/8",
            "10.0.0.010",
            "0x0a.0.0.0/8",
            "10.0.0.0/08x",
            // Host bits.
            "192.0.2.7/24",
            "0.0.0.1/0",
            "2001:db8::1/32",
            "::ffff:10.0.0.1/104",
            "::ffff:0:0/95",
            // Zone identifiers.
            "fe80::%eth0/64",
            "fe80::/64%eth0",
            "any",
            "10/8",
        ] {
            assert!(written.parse::<Network>().is_err(), "{written:?}");
        }
    }
}
