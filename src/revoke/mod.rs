//! Ready-made backends, and revocation without a token in hand.
//!
//! * [`RecordRevocation`] appends revocations to a log.
//! * `ForwardRevocation` forwards them to another server, and then appends them to a log.
//! * `LinkedTokens` lets both of them revoke opaque refresh tokens of another server, by `Links` that
//!   are learnt from its token responses.
//! * [`Administration`] revokes everything of a subject, a client, a key or an issuer.
//!
//! # When a limit is reached
//!
//! A log can have a ceiling, such as [`MemoryLog::ceiling`](crate::log::MemoryLog::ceiling), and a
//! client can have a [quota](RecordRevocation::quota). A revocation beyond either of them fails
//! with 503 and a `Retry-After` of one minute. No record is removed to make room. A revocation that
//! an existing record covers still succeeds. Operators can see it:
//!
//! * With the feature `tracing`, it is an event of the target `tower_revocation`. Its `reason` is
//!   `ceiling` (level `ERROR`) or `quota` (level `WARN`, because the client causes it itself).
//! * With the feature `metrics`, the counter `tower_revocation_appends_refused_total` counts it,
//!   with the same `reason` as label.
//!
//! The queue of an `EmbeddedLog` is always limited, and so is the part of it that one client can
//! use: see [`RevocationLog::append_for`](crate::log::RevocationLog::append_for). A revocation
//! beyond that limit fails with 503, and nothing is queued.
//!
//! # Events of administrative requests
//!
//! With the feature `metrics`, the counter `tower_revocation_admin_requests_total` counts every
//! [`AdminRequest`]. With the feature `tracing`, each of them is one event of the target
//! `tower_revocation`:
//!
//! * `outcome`: `revoked`; `failed`, with the `cause`; `cancelled` if the caller dropped the
//!   future; `panicked` if the log did. After the last three, the record may be in the log or not.
//! * `class`: the [`SelectorClass`](crate::log::SelectorClass) of the target.
//! * `sub`, `client_id`, `iss`, `jti`, `key` (written like `jkt`), `tenant`: the target. Names of
//!   grants and sessions are left out, because some applications use secrets for them.
//! * `reason`, `actor`: as in the request. They and the names are cut to 128 characters and
//!   escaped.
//! * `before`: the [date](AdminRequest::before) in seconds since 1970, if the request has one.
//! * `epoch`, `sequence`: the [`Position`](crate::log::Position) of the response.

mod admin;
mod alarm;
mod cascade;
#[cfg(feature = "upstream")]
mod forward;
#[cfg(any(feature = "admin", feature = "profiles"))]
mod handles;
#[cfg(all(feature = "embedded", feature = "jwt"))]
mod links;
mod options;
#[cfg(feature = "profiles")]
mod order;
mod quota;
mod record;
mod recorder;
mod refused;
mod report;
mod retention;

pub use admin::{AdminRequest, AdminResponse, Administration, Target};
pub use cascade::Cascade;
#[cfg(feature = "upstream")]
#[cfg_attr(docsrs, doc(cfg(feature = "upstream")))]
pub use forward::{ForwardError, ForwardErrorKind, ForwardRevocation};
#[cfg(any(feature = "admin", feature = "profiles"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "admin", feature = "profiles"))))]
pub use handles::Handles;
#[cfg(all(feature = "embedded", feature = "jwt"))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "embedded", feature = "jwt"))))]
pub use links::{LearnLinks, LearnLinksFuture, LearnLinksLayer, LinkedTokens, Links, WatchedBody};
#[cfg(feature = "profiles")]
pub(crate) use options::Condition;
pub use options::RevocationOptions;
#[cfg(feature = "profiles")]
#[cfg_attr(docsrs, doc(cfg(feature = "profiles")))]
pub use order::ClientOrder;
pub use record::RecordRevocation;
pub use report::RevocationReport;
