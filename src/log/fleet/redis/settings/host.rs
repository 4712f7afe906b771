//! A host and its port.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use super::{super::fault::Fault, wrong};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl Host {
    /// Whether connections to it do not leave this machine.
    pub(crate) fn is_local(&self) -> bool {
        let address = self
            .name
            .parse()
            .map(|address: IpAddr| address.is_loopback());
        address.unwrap_or(self.name == "localhost")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') {
            return write!(f, "[{name}]:{port}");
        }
        write!(f, "{name}:{port}")
    }
}

/// Reads a list of hosts.
pub(super) fn all(list: &str, port: u16) -> Result<Vec<Host>, Fault> {
    list.split(',').map(|host| one(host, port)).collect()
}

fn one(text: &str, default: u16) -> Result<Host, Fault> {
    let broken =
        || wrong("the hosts in the URL must be `HOST` or `HOST:PORT`, with commas between");
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (name, rest) = rest.split_once(']').ok_or_else(broken)?;
            name.parse::<Ipv6Addr>().map_err(|_| broken())?;
            (
                name,
                rest.strip_prefix(':')
                    .or((rest.is_empty()).then_some(""))
                    .ok_or_else(broken)?,
            )
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let port = if port.is_empty() {
        Ok(default)
    } else {
        port.parse()
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(broken());
    }
    Ok(Host {
        name: name.to_owned(),
        port: port.map_err(|_| broken())?,
    })
}
