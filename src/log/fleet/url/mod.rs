//! The address of a log, and its parameters.

use std::{fmt, time::Duration};

use super::{
    super::{LogError, LogErrorKind},
    FleetAck, engine,
    open::{feature, unknown_scheme},
};

/// Where the log is, and how a node follows it.
#[derive(Clone)]
pub(super) struct Address {
    /// The URL for the driver of the engine, without the parameters of this crate.
    pub(super) engine: String,
    pub(super) lease: Duration,
    pub(super) append_timeout: Duration,
    /// How far the clock may be off. `None` if nobody has said.
    pub(super) skew: Option<Duration>,
    pub(super) ack: FleetAck,
    /// Which of several logs in one engine.
    pub(super) name: Option<String>,
    /// How many selectors may have a record.
    pub(super) ceiling: usize,
}

/// A lease must leave time for some questions and answers.
const SHORTEST_LEASE: Duration = Duration::from_millis(500);
/// An append must have time for a new connection.
const SHORTEST_APPEND: Duration = Duration::from_millis(100);
/// What clocks that are synchronised over a network can keep.
const SMALLEST_SKEW: Duration = Duration::from_millis(100);
/// The engine raises watermarks that are behind by less than this.
const LARGEST_SKEW: Duration = Duration::from_secs(engine::SKEW);
/// A longer one would make the bound useless.
const LONGEST_LEASE: Duration = Duration::from_secs(300);

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// Fails with `Misconfigured`. The error does not contain the URL, which can have a password.
    pub(super) fn parse(url: &str) -> Result<Self, LogError> {
        if feature(scheme(url)).is_none() {
            return Err(unknown_scheme());
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut address = Self {
            engine: base.to_owned(),
            lease: Duration::from_secs(5),
            append_timeout: Duration::from_secs(2),
            skew: None,
            ack: FleetAck::Durable,
            name: None,
            ceiling: usize::MAX,
        };
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "lease" => address.lease = duration(name, value)?,
                "append_timeout" => address.append_timeout = duration(name, value)?,
                "skew" => address.skew = Some(duration(name, value)?),
                "ack" => address.ack = ack(value)?,
                "name" => address.name = Some(value.to_owned()),
                // Those of the engine. It refuses what it does not know.
                _ => rest.push(pair),
            }
        }
        if !rest.is_empty() {
            address.engine.push('?');
            address.engine.push_str(&rest.join("&"));
        }
        address.check()?;
        Ok(address)
    }

    pub(super) fn scheme(&self) -> &str {
        scheme(&self.engine)
    }

    /// Fails if a time or the name is not usable.
    pub(super) fn check(&self) -> Result<(), LogError> {
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&self.lease) {
            return Err(wrong("`lease` must be between 500ms and 300s"));
        }
        if !(SHORTEST_APPEND..=LONGEST_LEASE).contains(&self.append_timeout) {
            return Err(wrong("`append_timeout` must be between 100ms and 300s"));
        }
        if self
            .skew
            .is_some_and(|skew| !(SMALLEST_SKEW..=LARGEST_SKEW).contains(&skew))
        {
            return Err(wrong("`skew` must be between 100ms and 60s"));
        }
        let is_name = |name: &String| {
            let mut bytes = name.bytes();
            let first = bytes.next().is_some_and(|first| first.is_ascii_lowercase());
            let usable =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            first && name.len() <= 32 && bytes.all(usable)
        };
        if !self.name.as_ref().is_none_or(is_name) {
            return Err(wrong(
                "`name` must be at most 32 of a-z, 0-9 and _, and begin with a letter",
            ));
        }
        Ok(())
    }
}

/// The part before `://`. Empty if there is none.
fn scheme(url: &str) -> &str {
    url.split_once("://").map_or("", |(scheme, _)| scheme)
}

fn ack(value: &str) -> Result<FleetAck, LogError> {
    match value {
        "durable" => Ok(FleetAck::Durable),
        "fleet" => Ok(FleetAck::Fleet),
        _ => Err(wrong("`ack` must be `durable` or `fleet`")),
    }
}

/// Reads `5s`, `500ms` or `2m`.
fn duration(name: &str, value: &str) -> Result<Duration, LogError> {
    let digits = value.len()
        - value
            .trim_start_matches(|digit: char| digit.is_ascii_digit())
            .len();
    let (number, unit) = value.split_at(digits);
    let of = |number: u32| match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        "m" => Some(Duration::from_secs(60) * number),
        _ => None,
    };
    let duration = number.parse().ok().and_then(of);
    duration.ok_or_else(|| wrong(format!("`{name}` must be a time such as 5s or 500ms")))
}

pub(super) fn wrong(what: impl Into<String>) -> LogError {
    LogError::new(LogErrorKind::Misconfigured).caused_by(what.into())
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("lease", &self.lease)
            .field("append_timeout", &self.append_timeout)
            .field("ack", &self.ack)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn refused(url: &str) -> String {
        let error = Address::parse(url).unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Misconfigured, "{url}");
        error.source().unwrap().to_string()
    }

    #[test]
    fn own_parameters_are_taken_and_the_others_passed_on() {
        let url =
            "postgres://me:secret@db/app?sslmode=require&lease=2s&name=a_1&append_timeout=250ms";
        let address = Address::parse(url).unwrap();
        assert_eq!(
            address.engine,
            "postgres://me:secret@db/app?sslmode=require"
        );
        assert_eq!(address.lease, Duration::from_secs(2));
        assert_eq!(address.ack, FleetAck::Durable);
        assert_eq!(address.append_timeout, Duration::from_millis(250));
        assert_eq!(address.name.as_deref(), Some("a_1"));
        assert!(!format!("{address:?}").contains("secret"));

        let address = Address::parse("postgresql:///app?lease=1m&ack=fleet").unwrap();
        assert_eq!(address.ack, FleetAck::Fleet);
        assert_eq!(address.engine, "postgresql:///app");
        assert_eq!(address.lease, Duration::from_secs(60));
        assert_eq!(
            (address.append_timeout, address.name),
            (Duration::from_secs(2), None)
        );
    }

    #[test]
    fn parameter_that_is_not_usable_is_refused_without_the_password() {
        for query in [
            "lease=",
            "lease=5",
            "lease=5h",
            "lease=-5s",
            "lease=s",
            "lease=1ms",
            "lease=301s",
            "lease=99999999999s",
            "append_timeout=0s",
            "append_timeout=99ms",
            "append_timeout=301s",
            "skew=0s",
            "skew=61s",
            "ack=",
            "ack=all",
            "name=",
            "name=A",
            "name=1a",
            "name=a-b",
            "name=a%22b",
            "name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            let error = refused(&format!("postgres://me:secret@db/app?{query}"));
            assert!(
                !error.contains("secret") && error.contains('`'),
                "{query}: {error}"
            );
        }
        for url in [
            "",
            "postgres",
            "mysql://me:secret@db/app",
            "/path/to/log.redb",
        ] {
            assert!(!refused(url).contains("secret"));
        }
    }
}
