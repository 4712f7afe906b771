//! Can the server keep what the log promises?

#[cfg(test)]
mod tests;

use super::{
    fault::Fault,
    proof::Proof,
    resp::{Reply, Request},
    settings::{Settings, Topology},
    wire::Wire,
};
use crate::log::FleetAssumption;

/// Refuses servers that lose what they have acknowledged, and returns how one proves that it has not.
pub(super) async fn server(wire: &mut Wire, settings: &Settings) -> Result<Proof, Fault> {
    let mut request = Request::default();
    request.add(&[b"INFO"]);
    request.add(&[b"CONFIG", b"GET", b"appendfsync"]);
    request.add(&[b"CONFIG", b"GET", b"no-appendfsync-on-rewrite"]);
    let mut replies = wire.ask(&request).await?.into_iter();
    let place = &wire.place;
    let info = match replies.next() {
        Some(Reply::Text(info)) => Info(String::from_utf8_lossy(&info).into_owned()),
        Some(Reply::Error(error)) => return Err(Fault::refused(&error, place)),
        _ => return Err(Fault::corrupt(format!("{place} says nothing of itself"))),
    };
    let fsync = replies.next().and_then(setting);
    let pauses = replies.next().and_then(setting);
    version(&info, place)?;
    role(&info, settings, place)?;
    eviction(&info, settings, place)?;
    durability(&info, fsync.as_deref(), pauses.as_deref(), settings, place)
}

/// The value in the answer to `CONFIG GET`. `None` if it is not allowed, as with many services.
fn setting(reply: Reply) -> Option<String> {
    let Reply::List(pair) = reply else {
        return None;
    };
    match pair.into_iter().nth(1) {
        Some(Reply::Text(value)) => Some(String::from_utf8_lossy(&value).into_owned()),
        _ => None,
    }
}

/// Lines `name:value`.
struct Info(String);

impl Info {
    fn value(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    }

    /// The first two numbers of a version.
    fn version(&self) -> (u32, u32) {
        let version = self.value("redis_version").unwrap_or_default();
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

fn version(info: &Info, place: &str) -> Result<(), Fault> {
    let (major, minor) = info.version();
    if major < 7 {
        return Err(Fault::misconfigured(format!(
            "{place} is Redis {major}.{minor}: use Redis 7 or Valkey 8, or later",
        )));
    }
    Ok(())
}

fn role(info: &Info, settings: &Settings, place: &str) -> Result<(), Fault> {
    if info.value("role") != Some("master") {
        // During a failover, sentinels and clusters may name a server that is not promoted yet.
        let line = format!("{place} is a replica: use the primary");
        return Err(match settings.topology {
            Topology::Single => Fault::misconfigured(format!(
                "{line}, or `redis+sentinel://` or `redis+cluster://`"
            )),
            _ => Fault::leave(line),
        });
    }
    let is_cluster = info.value("cluster_enabled") == Some("1");
    if is_cluster != (settings.topology == Topology::Cluster) {
        let (is, write) = if is_cluster {
            ("a", "redis+cluster://")
        } else {
            ("no", "redis://")
        };
        return Err(Fault::misconfigured(format!(
            "{place} is {is} cluster: the URL must begin with `{write}`",
        )));
    }
    Ok(())
}

fn eviction(info: &Info, settings: &Settings, place: &str) -> Result<(), Fault> {
    if info.value("maxmemory") == Some("0") {
        return Ok(());
    }
    match info.value("maxmemory_policy") {
        Some("noeviction") => Ok(()),
        Some(policy) => Err(Fault::misconfigured(format!(
            "{place} has maxmemory-policy {policy}, and would remove revocations: set it to \
             noeviction",
        ))),
        None if settings.assumed.has(FleetAssumption::NoEviction) => Ok(()),
        None => Err(Fault::misconfigured(format!(
            "{place} does not tell its maxmemory-policy: make sure that it is noeviction, and add \
             `assume=noeviction` to the URL",
        ))),
    }
}

fn durability(
    info: &Info,
    fsync: Option<&str>,
    pauses: Option<&str>,
    settings: &Settings,
    place: &str,
) -> Result<Proof, Fault> {
    let mut proof = Proof {
        replicas: settings.replicas,
        may_fail_over: !settings.assumed.has(FleetAssumption::NoFailover),
        ..Proof::default()
    };
    if settings.volatile {
        return Ok(proof);
    }
    let has_file = info.value("aof_enabled") == Some("1");
    // WAITAOF is as old as Valkey, and newer than Redis 7.0.
    let can_wait = has_file && info.version() >= (7, 2);
    if settings.assumed.has(FleetAssumption::AofAlways) {
        return Ok(proof);
    }
    if !has_file {
        return Err(Fault::misconfigured(format!(
            "{place} has appendonly no, and a restart would lose revocations: set it to yes, or \
             accept that with `durability=volatile` in the URL",
        )));
    }
    // Also with `always`: by its settings, the server may not sync while it rewrites its file.
    proof.own = can_wait;
    match fsync {
        Some("always" | "everysec") | None if can_wait => Ok(proof),
        Some("always") if pauses == Some("yes") => Err(Fault::misconfigured(format!(
            "{place} has no-appendfsync-on-rewrite yes, and a crash during a rewrite would lose \
             revocations: set it to no, or use Redis 7.2 or later",
        ))),
        Some("always") => Ok(proof),
        None => Err(Fault::misconfigured(format!(
            "{place} does not tell its appendfsync: allow CONFIG GET, or make sure that it is \
             always, and add `assume=aof-always` to the URL",
        ))),
        Some(fsync) => Err(Fault::misconfigured(format!(
            "{place} has appendfsync {fsync}, and a crash would lose revocations: set it to always, \
             or to everysec with Redis 7.2 or later",
        ))),
    }
}
