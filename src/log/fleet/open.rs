//! Which engine is at an address?

use std::sync::Arc;

use super::{
    super::{LogError, Moment},
    FleetLog,
    core::NodeSettings,
    engine::Engine,
    operation::{Copy, Operation, SKEW},
    url::{Address, wrong},
};

/// The engines, by the scheme of the URL and the feature that has them.
const SCHEMES: &[(&str, &str)] = &[
    ("http", "feed"),
    ("https", "feed"),
    ("postgres", "postgres"),
    ("postgresql", "postgres"),
    ("redis", "redis"),
    ("rediss", "redis"),
    ("redis+cluster", "redis"),
    ("redis+sentinel", "redis"),
    ("valkey", "redis"),
    ("valkeys", "redis"),
    ("valkey+cluster", "redis"),
    ("valkey+sentinel", "redis"),
];

/// Opens the engine at the address, and starts a node.
pub(super) async fn open(address: &Address, settings: NodeSettings) -> Result<FleetLog, LogError> {
    match feature(address.scheme()) {
        #[cfg(feature = "postgres")]
        Some("postgres") => postgres(address, settings).await,
        #[cfg(feature = "redis")]
        Some("redis") => redis(address, settings).await,
        #[cfg(feature = "feed")]
        Some("feed") => feed(address, settings).await,
        Some(feature) => {
            drop(settings);
            Err(missing(feature))
        }
        None => Err(unknown_scheme()),
    }
}

/// Checks what can be checked without a connection.
pub(super) fn check(address: &Address) -> Result<(), LogError> {
    match feature(address.scheme()) {
        #[cfg(feature = "postgres")]
        Some("postgres") => super::postgres::Postgres::check(&address.url, address.append_timeout),
        #[cfg(feature = "redis")]
        Some("redis") => super::redis::Redis::check(&address.url),
        #[cfg(feature = "feed")]
        Some("feed") => {
            only_of_a_feed(address)?;
            super::feed::Leaf::check_url(&address.url)
        }
        Some(feature) => Err(missing(feature)),
        None => Err(unknown_scheme()),
    }
}

fn missing(feature: &str) -> LogError {
    wrong(format!(
        "the URL of the log needs the feature `{feature}` of tower-revocation: enable it",
    ))
}

pub(super) fn unknown_scheme() -> LogError {
    wrong("the URL of the log must begin with `postgres://`, `redis://` or, for a feed, `https://`")
}

/// Returns the feature that a scheme needs.
pub(super) fn feature(scheme: &str) -> Option<&'static str> {
    let known = SCHEMES.iter().find(|(known, _)| *known == scheme);
    known.map(|(_, feature)| *feature)
}

/// Starts a node, with what operators have decided.
#[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
async fn start<E: Engine>(
    engine: E,
    address: &Address,
    settings: NodeSettings,
) -> Result<FleetLog, LogError> {
    let engine = Arc::new(engine);
    let kept = kept(&engine, address).await?;
    let operation = Operation {
        skew: address.skew.unwrap_or(SKEW),
        kept,
        ..Operation::default()
    };
    let clock = Arc::new(Moment::now);
    Ok(FleetLog::start_with(engine, settings, clock, operation))
}

/// Opens the copy on the disk, if there is to be one.
#[cfg(all(
    feature = "embedded",
    any(feature = "feed", feature = "postgres", feature = "redis")
))]
async fn kept<E: Engine>(engine: &Arc<E>, address: &Address) -> Result<Option<Copy>, LogError> {
    let Some(path) = &address.mirror else {
        return Ok(None);
    };
    let (mirror, found) = super::mirror::Mirror::open(path, &**engine).await?;
    mirror.start(engine.clone(), found);
    Ok(Some((Arc::new(mirror), found)))
}

#[cfg(all(
    not(feature = "embedded"),
    any(feature = "feed", feature = "postgres", feature = "redis")
))]
fn kept<E: Engine>(
    _: &Arc<E>,
    address: &Address,
) -> std::future::Ready<Result<Option<Copy>, LogError>> {
    std::future::ready(match address.mirror {
        None => Ok(None),
        Some(_) => Err(wrong(
            "`mirror` needs the feature `embedded` of tower-revocation: enable it",
        )),
    })
}

#[cfg(feature = "postgres")]
async fn postgres(address: &Address, settings: NodeSettings) -> Result<FleetLog, LogError> {
    use super::postgres::{Options, Postgres};
    let options = Options {
        name: address.name.clone(),
        ceiling: address.ceiling.unwrap_or(usize::MAX),
        timeout: address.append_timeout.max(settings.poll_timeout()),
        poll_timeout: settings.poll_timeout(),
        lease: settings.lease,
    };
    let engine = Postgres::open(&address.url, options).await?;
    start(engine, address, settings).await
}

#[cfg(feature = "feed")]
async fn feed(address: &Address, settings: NodeSettings) -> Result<FleetLog, LogError> {
    only_of_a_feed(address)?;
    let leaf = super::feed::Leaf::open(&address.url, settings.lease).await?;
    start(leaf, address, settings).await
}

/// A feed has none of the parameters of an engine.
#[cfg(feature = "feed")]
fn only_of_a_feed(address: &Address) -> Result<(), LogError> {
    for (is_given, name) in [
        (address.ack.is_some(), "ack"),
        (address.ceiling.is_some(), "ceiling"),
        (address.mirror.is_some(), "mirror"),
        (address.name.is_some(), "name"),
    ] {
        if is_given {
            return Err(wrong(format!(
                "a feed has no `{name}`: it only reads the log of its relay",
            )));
        }
    }
    if address.skew.is_some() {
        return Err(wrong(
            "a feed has no `skew`: it does not carry the time of the database",
        ));
    }
    Ok(())
}

#[cfg(feature = "redis")]
async fn redis(address: &Address, settings: NodeSettings) -> Result<FleetLog, LogError> {
    use super::redis::{Options, Redis};
    let options = Options {
        name: address.name.clone(),
        ceiling: address.ceiling.unwrap_or(usize::MAX),
        timeout: address.append_timeout.max(settings.poll_timeout()),
        lease: settings.lease,
    };
    let engine = Redis::open(&address.url, options).await?;
    start(engine, address, settings).await
}
