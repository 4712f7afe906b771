//! Ready-made backends, and revocation without a token in hand.
//!
//! # When there is no room
//!
//! A log may have a ceiling, such as [`MemoryLog::ceiling`](crate::log::MemoryLog::ceiling), and a
//! client a [quota](RecordRevocation::quota). What finds no room is not revoked, and says so: 503 with a
//! `Retry-After` of a minute. Nothing is forgotten to make room, and what is covered by a record
//! already is still answered with success. Operators hear of it:
//!
//! * With the feature `tracing`, by an event of the target `tower_revocation`, whose `reason` is
//!   `ceiling` (level `ERROR`) or `quota` (level `WARN`: a client brings it about by itself).
//! * With the feature `metrics`, by the counter `tower_revocation_appends_refused_total`, whose
//!   label `reason` is the same.
//!
//! Besides, what waits to be written to an `EmbeddedLog` is limited, and so is one
//! client's quota of it, always: [`RevocationLog::append_for`](crate::log::RevocationLog::append_for).
//! Beyond that it is 503, and nothing was queued.
//!
//! # Orders in the event log
//!
//! With the feature `metrics`, every [`AdminRequest`] is counted in `tower_revocation_admin_requests_total`. With the
//! feature `tracing`, it is one event of the target `tower_revocation`:
//!
//! * `outcome`: `revoked`; `failed`, with the `cause`; `cancelled` if nobody waited for the answer,
//!   and `panicked` if the log did. The last three leave open whether the record is in.
//! * `class`: the [`SelectorClass`](crate::log::SelectorClass) of the target.
//! * `sub`, `client_id`, `iss`, `jti`, `key` (as `jkt` writes it), `tenant`: whom it is about. The
//!   names of grants and sessions are left out, as some applications use secrets for them.
//! * `reason`, `actor`: as ordered. They and the names are cut to 128 characters and escaped.
//! * `before`: the [date](AdminRequest::before), if there is one, in seconds after 1970.
//! * `epoch`, `sequence`: the [`Position`](crate::log::Position) of the receipt.

mod admin;
#[cfg_attr(
    not(any(feature = "tracing", feature = "metrics")),
    path = "no_alarm.rs"
)]
mod alarm;
#[cfg(feature = "upstream")]
mod forward;
mod quota;
mod record;
mod recorder;
mod refused;
mod retention;

pub use admin::{AdminRequest, AdminResponse, Administration, Target};
#[cfg(feature = "upstream")]
#[cfg_attr(docsrs, doc(cfg(feature = "upstream")))]
pub use forward::{ForwardError, ForwardErrorKind, ForwardRevocation};
pub use record::{Cascade, RecordRevocation};
