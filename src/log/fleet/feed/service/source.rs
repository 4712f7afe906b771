//! Which logs can be served?

#[cfg(feature = "embedded")]
use tower::util::Either;

use super::super::super::FleetLog;
#[cfg(feature = "embedded")]
use super::super::file;
#[cfg(feature = "embedded")]
use crate::log::EmbeddedLog;

/// The log of a [`FeedService`](super::FeedService): a [`FleetLog`], an `EmbeddedLog`, or the
/// `tower::util::Either` of an `EmbeddedLog` and a `FleetLog`, each also as a reference.
///
/// # An `EmbeddedLog`
///
/// Those that follow it know a revocation within milliseconds, and never later than 1.02 times their
/// lease after its append has returned, as in any fleet. The lease of the feed is 5 s: those that follow
/// have the same one or a shorter one, of at least 2 s. If the process ends or cannot be reached, they
/// refuse every token once their lease has ended. They notice if the file was restored from an older
/// copy, and keep what they know.
///
/// ```no_run
/// use tower_revocation::log::{EmbeddedLog, FeedService};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower_revocation::log::LogError> {
/// let log = EmbeddedLog::open("revocations.redb")?;
/// let feed = FeedService::with_token_file(&log, "/run/secrets/feed-tokens")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FeedSource(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Fleet(FleetLog),
    #[cfg(feature = "embedded")]
    File(EmbeddedLog),
}

impl FeedSource {
    /// The node whose relay serves the log.
    pub(super) fn node(self) -> FleetLog {
        match self.0 {
            Kind::Fleet(log) => log,
            #[cfg(feature = "embedded")]
            Kind::File(log) => file::follow(log),
        }
    }
}

impl From<FleetLog> for FeedSource {
    fn from(log: FleetLog) -> Self {
        Self(Kind::Fleet(log))
    }
}

#[cfg(feature = "embedded")]
impl From<EmbeddedLog> for FeedSource {
    fn from(log: EmbeddedLog) -> Self {
        Self(Kind::File(log))
    }
}

#[cfg(feature = "embedded")]
impl From<Either<EmbeddedLog, FleetLog>> for FeedSource {
    fn from(log: Either<EmbeddedLog, FleetLog>) -> Self {
        match log {
            Either::Left(log) => log.into(),
            Either::Right(log) => log.into(),
        }
    }
}

impl From<&FleetLog> for FeedSource {
    fn from(log: &FleetLog) -> Self {
        log.clone().into()
    }
}

#[cfg(feature = "embedded")]
impl From<&EmbeddedLog> for FeedSource {
    fn from(log: &EmbeddedLog) -> Self {
        log.clone().into()
    }
}

#[cfg(feature = "embedded")]
impl From<&Either<EmbeddedLog, FleetLog>> for FeedSource {
    fn from(log: &Either<EmbeddedLog, FleetLog>) -> Self {
        log.clone().into()
    }
}
