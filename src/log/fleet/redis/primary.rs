//! Finds the primary.

use super::{
    fault::Fault,
    keys::Keys,
    login,
    resp::{Reply, Request},
    settings::{Host, Settings, Topology},
    wire::Wire,
};

/// Asks a host of the URL which server is the primary.
pub(super) async fn find(entry: &Host, keys: &Keys, settings: &Settings) -> Result<Host, Fault> {
    match &settings.topology {
        Topology::Single => Ok(entry.clone()),
        Topology::Sentinel(name) => sentinel(entry, name, settings).await,
        Topology::Cluster => cluster(entry, keys, settings).await,
    }
}

async fn sentinel(entry: &Host, name: &str, settings: &Settings) -> Result<Host, Fault> {
    let mut wire = Wire::connect(entry, settings).await?;
    let mut request = Request::default();
    request.add(&[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", name.as_bytes()]);
    let mut reply = wire.ask(&request).await?.pop();
    if matches!(&reply, Some(Reply::Error(error)) if error.starts_with("NOAUTH")) {
        // Sentinels with a password have that of the servers.
        login::authenticate(&mut wire, settings).await?;
        reply = wire.ask(&request).await?.pop();
    }
    match reply {
        Some(Reply::List(parts)) => {
            let mut parts = parts.iter().map(text);
            let name = parts.next().flatten();
            let port = parts.next().flatten().and_then(|port| port.parse().ok());
            let host = name.zip(port).map(|(name, port)| Host { name, port });
            host.ok_or_else(|| Fault::corrupt(format!("the sentinel at {entry} names no server")))
        }
        Some(Reply::Error(error)) if error.contains("unknown command") => Err(
            Fault::misconfigured(format!("{entry} is not a sentinel: correct host and port")),
        ),
        Some(Reply::Error(error)) => Err(Fault::refused(&error, &wire.place)),
        _ => Err(Fault::misconfigured(format!(
            "the sentinel at {entry} knows no `{name}`: correct the name in the URL",
        ))),
    }
}

/// Each server of a cluster knows which one has a key.
async fn cluster(entry: &Host, keys: &Keys, settings: &Settings) -> Result<Host, Fault> {
    let mut wire = Wire::connect(entry, settings).await?;
    login::authenticate(&mut wire, settings).await?;
    let mut request = Request::default();
    request.add(&[b"EXISTS", keys.stream.as_bytes()]);
    match wire.ask(&request).await?.pop() {
        Some(Reply::Error(error)) => match error.strip_prefix("MOVED ") {
            Some(to) => {
                moved(to, entry).ok_or_else(|| Fault::corrupt(format!("{entry} names no server")))
            }
            None => Err(Fault::refused(&error, &wire.place)),
        },
        _ => Ok(entry.clone()),
    }
}

/// Reads a slot and an address. Without a host, it is that of the server that was asked.
fn moved(to: &str, asked: &Host) -> Option<Host> {
    let (_, address) = to.split_once(' ')?;
    let (name, port) = address.rsplit_once(':')?;
    let name = if name.is_empty() { &asked.name } else { name };
    Some(Host {
        name: name.to_owned(),
        port: port.parse().ok()?,
    })
}

fn text(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Text(text) => String::from_utf8(text.clone()).ok(),
        _ => None,
    }
}
