//! How much of an address is kept?

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The network of a client: the first 24 bits of an IPv4 address, or the first 48 bits of an IPv6
/// address. The rest is cut, because it would name one household.
///
/// An IPv4-mapped IPv6 address counts as IPv4.
///
/// ```
/// use std::net::IpAddr;
/// use tower_revocation::sightings::CutAddress;
///
/// let address: IpAddr = "192.0.2.77".parse()?;
/// assert_eq!(CutAddress::of(address).to_string(), "192.0.2.0/24");
/// let address: IpAddr = "2001:db8:1:2::3".parse()?;
/// assert_eq!(CutAddress::of(address).to_string(), "2001:db8:1::/48");
/// # Ok::<_, std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CutAddress(IpAddr);

/// The bits that are kept.
const KEPT_OF_V4: u32 = 24;
const KEPT_OF_V6: u32 = 48;

impl CutAddress {
    /// Cuts an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => {
                let cut = Ipv4Addr::BITS - KEPT_OF_V4;
                Ipv4Addr::from_bits(address.to_bits() >> cut << cut).into()
            }
            IpAddr::V6(address) => {
                let cut = Ipv6Addr::BITS - KEPT_OF_V6;
                Ipv6Addr::from_bits(address.to_bits() >> cut << cut).into()
            }
        })
    }

    /// The kept bits, and which kind of address it is. At most 56 bits.
    pub(super) fn to_bits(self) -> u64 {
        match self.0 {
            IpAddr::V4(address) => 1 << 48 | u64::from(address.to_bits()),
            IpAddr::V6(address) => {
                let kept = address.to_bits() >> (Ipv6Addr::BITS - KEPT_OF_V6);
                2 << 48 | u64::try_from(kept).unwrap_or_default()
            }
        }
    }

    /// Reads what [`to_bits`](Self::to_bits) returned. `None` for 0.
    pub(super) fn from_bits(bits: u64) -> Option<Self> {
        let kept = bits & 0xFFFF_FFFF_FFFF;
        match bits >> 48 {
            1 => Some(Self(
                Ipv4Addr::from_bits(u32::try_from(kept).unwrap_or_default()).into(),
            )),
            2 => {
                let address = u128::from(kept) << (Ipv6Addr::BITS - KEPT_OF_V6);
                Some(Self(Ipv6Addr::from_bits(address).into()))
            }
            _ => None,
        }
    }
}

/// Writes the network, such as `192.0.2.0/24`.
impl fmt::Display for CutAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match self.0 {
            IpAddr::V4(_) => KEPT_OF_V4,
            IpAddr::V6(_) => KEPT_OF_V6,
        };
        write!(f, "{}/{kept}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(address: &str) -> CutAddress {
        CutAddress::of(address.parse().unwrap())
    }

    #[test]
    fn cut_addresses_survive_as_bits() {
        for address in [
            "0.0.0.0",
            "255.255.255.255",
            "203.0.113.9",
            "::",
            "2001:db8:ffff:1::1",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            let cut = cut(address);
            assert!(cut.to_bits() < 1 << 56, "{address}");
            assert_eq!(CutAddress::from_bits(cut.to_bits()), Some(cut), "{address}");
        }
        assert_eq!(CutAddress::from_bits(0), None);
    }

    #[test]
    fn nothing_beyond_the_prefix_is_kept() {
        assert_eq!(cut("203.0.113.9"), cut("203.0.113.200"));
        assert_eq!(cut("2001:db8:7:1::1"), cut("2001:db8:7:ffff::2"));
        assert_ne!(cut("203.0.113.9"), cut("203.0.114.9"));
        assert_ne!(cut("2001:db8:7::1"), cut("2001:db8:8::1"));
        assert_eq!(cut("::ffff:203.0.113.9").to_string(), "203.0.113.0/24");
    }
}
