//! The text that the server prints once it listens.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

pub(crate) struct Greeting<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<&'a str>,
    pub(crate) keys: Vec<PathBuf>,
    /// Whether the clients of the demo are registered. The commands below use one of them.
    pub(crate) has_demo_clients: bool,
}

impl Greeting<'_> {
    /// Prints the address on the first line, and the commands to try on the last ones.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "listening on http://{}", self.address)?;
        if let Some(base) = self.tls {
            writeln!(out, "listening on {base}")?;
        }
        for path in &self.keys {
            writeln!(out, "key or certificate: {}", path.display())?;
        }
        writeln!(
            out,
            "/oauth2/authorize signs everybody in as alice, without a prompt"
        )?;
        let base = format!("http://{}", reachable(self.address));
        if self.has_demo_clients {
            let commands = COMMANDS.replace("BASE", &base);
            write!(
                out,
                "get a token, use it, revoke it, and see that it is refused:\n\n{commands}"
            )?;
        } else {
            write!(out, "list the endpoints:\n\ncurl -s {base}/\n")?;
        }
        out.flush()
    }
}

/// For a shell. The README has the same commands.
const COMMANDS: &str = r#"TOKEN=$(curl -s -u s6BhdRkqt3:gX1fBat3bV -d grant_type=client_credentials \
  BASE/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s -H "Authorization: Bearer $TOKEN" BASE/api/me
curl -si -u s6BhdRkqt3:gX1fBat3bV -d "token=$TOKEN" BASE/oauth2/revoke
curl -si -H "Authorization: Bearer $TOKEN" BASE/api/me
"#;

/// An address at which this machine reaches a server that listens on all addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
