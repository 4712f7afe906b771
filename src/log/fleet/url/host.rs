//! Hosts of a URL.

use std::net::{IpAddr, Ipv6Addr};

use super::{Wrong, parts::decode};

/// A host, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::log::fleet) struct Host {
    /// A name, an address without brackets, or the folder of a socket. Empty if only a port is given.
    pub(in crate::log::fleet) name: String,
    pub(in crate::log::fleet) port: Option<u16>,
}

/// Whether connections to a host do not leave this machine.
pub(in crate::log::fleet) fn is_local(name: &str) -> bool {
    let address: Option<IpAddr> = name.parse().ok();
    address.map_or(name.eq_ignore_ascii_case("localhost"), |address| {
        address.is_loopback()
    })
}

/// Reads hosts with commas between. None of them if the text is empty.
pub(super) fn list(text: &str) -> Result<Vec<Host>, Wrong> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(one).collect()
}

/// Reads one host.
pub(super) fn one(text: &str) -> Result<Host, Wrong> {
    let broken = || {
        Wrong::new(
            "the hosts in the URL must be `HOST` or `HOST:PORT`, with commas between, and each port a \
             number",
        )
    };
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']').ok_or_else(broken)?;
            name.parse::<Ipv6Addr>().map_err(|_| broken())?;
            let port = match rest.strip_prefix(':') {
                Some(port) => Some(port),
                None if rest.is_empty() => None,
                None => return Err(broken()),
            };
            (name.to_owned(), port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (decode(name)?, Some(port)),
            None => (decode(text)?, None),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if !name.starts_with('/') && !name.bytes().all(plain) {
        return Err(broken());
    }
    // As in other clients: nothing after the colon is no port.
    let port = port.filter(|port| !port.is_empty());
    let number = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    if !port.is_none_or(number) {
        return Err(broken());
    }
    let port = port.map(str::parse).transpose().map_err(|_| broken())?;
    Ok(Host { name, port })
}
