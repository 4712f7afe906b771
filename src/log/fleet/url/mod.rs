//! The address of a log, and its parameters.

#[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
mod files;
mod host;
mod parameters;
mod parts;
#[cfg(test)]
mod tests;

use std::{fmt, path::PathBuf, time::Duration};

use super::{
    super::{LogError, LogErrorKind},
    FleetAck, engine,
    open::{feature, unknown_scheme},
};

#[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
pub(super) use self::{files::files, host::is_local, parts::PASSWORD_FILE};
pub(super) use self::{host::Host, parameters::Parameters, parts::Url};

/// Where the log is, and how a node follows it.
#[derive(Clone)]
pub(super) struct Address {
    /// With the parameters of the engine.
    pub(super) url: Url,
    pub(super) lease: Duration,
    pub(super) append_timeout: Duration,
    /// How far the clock may be off. `None` if it was not set.
    pub(super) skew: Option<Duration>,
    pub(super) ack: Option<FleetAck>,
    /// The file of the mirror.
    pub(super) mirror: Option<PathBuf>,
    /// Which of several logs in one engine.
    pub(super) name: Option<String>,
    /// How many selectors may have a record.
    pub(super) ceiling: Option<usize>,
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
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        if feature(scheme).is_none() {
            return Err(unknown_scheme());
        }
        let mut url = Url::parse(url)?;
        let given = &mut url.parameters;
        let time = |name, value: Option<String>, usual| {
            value.map_or(Ok(usual), |value| duration(name, &value))
        };
        let address = Self {
            lease: time("lease", given.take("lease"), Duration::from_secs(5))?,
            append_timeout: time(
                "append_timeout",
                given.take("append_timeout"),
                Duration::from_secs(2),
            )?,
            skew: given
                .take("skew")
                .map(|value| duration("skew", &value))
                .transpose()?,
            ack: given.take("ack").map(|value| ack(&value)).transpose()?,
            mirror: given.take("mirror").map(PathBuf::from),
            name: given.take("name"),
            ceiling: given
                .take("ceiling")
                .map(|value| ceiling(&value))
                .transpose()?,
            url,
        };
        address.check()?;
        Ok(address)
    }

    pub(super) fn scheme(&self) -> &str {
        &self.url.scheme
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
        if self
            .mirror
            .as_ref()
            .is_some_and(|path| path.as_os_str().is_empty())
        {
            return Err(wrong("`mirror` must be a path"));
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

fn ack(value: &str) -> Result<FleetAck, LogError> {
    match value {
        "durable" => Ok(FleetAck::Durable),
        "fleet" => Ok(FleetAck::Fleet),
        _ => Err(wrong("`ack` must be `durable` or `fleet`")),
    }
}

fn ceiling(value: &str) -> Result<usize, LogError> {
    let digits = value.bytes().all(|digit| digit.is_ascii_digit());
    let number = value.parse().ok().filter(|_| digits);
    number.ok_or_else(|| wrong("`ceiling` must be a number of selectors"))
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

/// What is wrong with a URL, in one line without a secret.
#[derive(Debug)]
pub(super) struct Wrong(String);

impl Wrong {
    fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    #[cfg(any(feature = "feed", feature = "postgres", feature = "redis"))]
    pub(super) fn line(self) -> String {
        self.0
    }
}

impl From<Wrong> for LogError {
    fn from(Wrong(line): Wrong) -> Self {
        wrong(line)
    }
}

/// Reads `HOST` or `HOST:PORT`.
#[cfg(feature = "postgres")]
pub(super) fn host(text: &str) -> Result<Host, Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("`snapshot_from` must be `HOST` or `HOST:PORT`"));
    }
    host::one(text)
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
            .field("ceiling", &self.ceiling)
            .finish_non_exhaustive()
    }
}
