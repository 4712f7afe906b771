//! The logs that issued tokens can be stored with.

use tower::util::Either;

use crate::log::EmbeddedLog;
#[cfg(feature = "postgres")]
use crate::log::FleetLog;

/// A log that [`IssuedTokens`](super::IssuedTokens) can be stored with: an
/// [`EmbeddedLog`](crate::log::EmbeddedLog), or, with the feature `postgres`, a `FleetLog` in
/// PostgreSQL.
#[derive(Clone, Debug)]
pub struct TokenLog(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    File(EmbeddedLog),
    #[cfg(feature = "postgres")]
    Database(FleetLog),
}

impl From<EmbeddedLog> for TokenLog {
    fn from(log: EmbeddedLog) -> Self {
        Self(Kind::File(log))
    }
}

#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
impl From<FleetLog> for TokenLog {
    fn from(log: FleetLog) -> Self {
        Self(Kind::Database(log))
    }
}

/// A log that is chosen at run time.
impl<A: Into<TokenLog>, B: Into<TokenLog>> From<Either<A, B>> for TokenLog {
    fn from(log: Either<A, B>) -> Self {
        match log {
            Either::Left(log) => log.into(),
            Either::Right(log) => log.into(),
        }
    }
}
