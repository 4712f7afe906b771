//! What is printed once the server listens.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

/// What a newcomer has to know.
pub(crate) struct Greeting<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<&'a str>,
    pub(crate) keys: Vec<PathBuf>,
    /// Whether the clients of the demo are registered, of which one has the secret below.
    pub(crate) has_demo_clients: bool,
}

impl Greeting<'_> {
    /// The first line is where the server listens, and the last ones are what to try.
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
            "everybody who comes to /oauth2/authorize is signed in as alice, without a prompt"
        )?;
        let base = format!("http://{}", reachable(self.address));
        if self.has_demo_clients {
            let lines = LINES.replace("BASE", &base);
            write!(
                out,
                "get a token, use it, revoke it, and see it refused:\n\n{lines}"
            )?;
        } else {
            write!(out, "list the endpoints:\n\ncurl -s {base}/\n")?;
        }
        out.flush()
    }
}

/// For a shell, as in the README.
const LINES: &str = r#"TOKEN=$(curl -s -u s6BhdRkqt3:gX1fBat3bV -d grant_type=client_credentials \
  BASE/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -s -H "Authorization: Bearer $TOKEN" BASE/api/me
curl -si -u s6BhdRkqt3:gX1fBat3bV -d "token=$TOKEN" BASE/oauth2/revoke
curl -si -H "Authorization: Bearer $TOKEN" BASE/api/me
"#;

/// Where this machine reaches a server that listens at all its addresses.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
