//! Which engine is at an address?

use super::{
    super::LogError,
    FleetLog,
    core::NodeSettings,
    operation::{Operation, SKEW},
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
            Err(wrong(format!(
                "the URL of the log needs the feature `{feature}` of tower-revocation: enable it",
            )))
        }
        None => Err(unknown_scheme()),
    }
}

pub(super) fn unknown_scheme() -> LogError {
    wrong("the URL of the log must begin with `postgres://`, `redis://` or, for a feed, `https://`")
}

/// Returns the feature that a scheme needs.
pub(super) fn feature(scheme: &str) -> Option<&'static str> {
    let known = SCHEMES.iter().find(|(known, _)| *known == scheme);
    known.map(|(_, feature)| *feature)
}

/// What operators have decided.
fn operation(address: &Address) -> Operation {
    Operation {
        skew: address.skew.unwrap_or(SKEW),
        is_silent: false,
    }
}

#[cfg(feature = "postgres")]
async fn postgres(address: &Address, settings: NodeSettings) -> Result<FleetLog, LogError> {
    use std::sync::Arc;

    use super::{
        super::Moment,
        postgres::{Options, Postgres},
    };
    let options = Options {
        name: address.name.clone(),
        ceiling: address.ceiling.unwrap_or(usize::MAX),
        timeout: address.append_timeout.max(settings.poll_timeout()),
    };
    let engine = Postgres::open(&address.url, options).await?;
    Ok(FleetLog::start_with(
        engine,
        settings,
        Arc::new(Moment::now),
        operation(address),
    ))
}

#[cfg(feature = "feed")]
async fn feed(address: &Address, settings: NodeSettings) -> Result<FleetLog, LogError> {
    use std::sync::Arc;

    use super::{super::Moment, feed::Leaf};

    for (is_given, name) in [
        (address.ack.is_some(), "ack"),
        (address.ceiling.is_some(), "ceiling"),
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
    let leaf = Leaf::open(&address.url, settings.lease).await?;
    Ok(FleetLog::start_with(
        leaf,
        settings,
        Arc::new(Moment::now),
        operation(address),
    ))
}

#[cfg(feature = "redis")]
async fn redis(address: &Address, settings: NodeSettings) -> Result<FleetLog, LogError> {
    use std::sync::Arc;

    use super::{
        super::Moment,
        redis::{Options, Redis},
    };
    let options = Options {
        name: address.name.clone(),
        ceiling: address.ceiling.unwrap_or(usize::MAX),
        timeout: address.append_timeout.max(settings.poll_timeout()),
    };
    let engine = Redis::open(&address.url, options).await?;
    Ok(FleetLog::start_with(
        engine,
        settings,
        Arc::new(Moment::now),
        operation(address),
    ))
}
