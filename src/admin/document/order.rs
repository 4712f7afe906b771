//! An order to revoke, and its receipt.

use serde::{Deserialize, Serialize};

use super::{object, secret};
use crate::token::Secret;

/// The body of `POST /v1/revocations`: what to revoke, and why. Unknown members are an error.
///
/// ```
/// use tower_revocation::admin::RevocationOrder;
///
/// let order: RevocationOrder = serde_json::from_str(
///     r#"{ "target": { "subject": "alice" }, "reason": "laptop stolen, ticket 4711" }"#,
/// )?;
/// assert_eq!(order.target.subject.as_deref(), Some("alice"));
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RevocationOrder {
    /// What to revoke.
    #[serde(deserialize_with = "object::deserialize")]
    pub target: OrderTarget,
    /// The issuer that names the target. Needed if the server has several. A token has to be of this
    /// issuer, and a key has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The reason, at most 4096 bytes, for the event: see
    /// [`AdminRequest::reason`](crate::revoke::AdminRequest::reason). The [trail](super::super::Trail)
    /// has it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Revokes only tokens that were issued in this second or earlier, in seconds since 1970. It is
    /// an error for tokens, grants and sessions, which are revoked as a whole. Defaults to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// What a [`RevocationOrder`] revokes: one of the members, or `subject` and `client` together, or
/// `subject` and `handle` together.
/// **Names are compared byte for byte.**
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OrderTarget {
    /// All tokens of this subject until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// All tokens of this client until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// All tokens of this session (`sid`), past and future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// All tokens of this grant, past and future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The token with this identifier (`jti`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// This token. A refresh token also ends its grant, its session, or what was issued with it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "secret")]
    pub token: Option<Secret>,
    /// All tokens until now that are bound to this key: its SHA-256 thumbprint (`jkt`, `x5t#S256`)
    /// in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// All tokens of this issuer until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The token or the session of this `subject` that has this [handle](crate::revoke::Handles), as
    /// in a list of sightings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// The response to a [`RevocationOrder`]: the tokens are revoked, and the record is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// Names the order among those that the server keeps: see [`TrailEntry`](super::TrailEntry).
    /// `None` if it keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the record is about: `subject`, `session`, …, as in
    /// [`SelectorClass::as_str`](crate::log::SelectorClass::as_str).
    pub class: String,
    /// The incarnation of the log.
    pub epoch: u64,
    /// The position of the log. Every reader that has reached it refuses the tokens.
    pub sequence: u64,
    /// The last second of issue that is covered. `None` for all of them, future ones included.
    pub not_before: Option<u64>,
    /// The record is kept until then, in seconds since 1970. `None` for always.
    pub expires: Option<u64>,
    /// What becomes of the refresh tokens that live at the issuer, and mint tokens that the record
    /// does not cover. `None` if the record covers those too.
    ///
    /// * `untouched`: the issuer is not told. Revoke them there.
    /// * `pending`: the issuer will be told. See
    ///   [`TrailEntry::refresh_tokens`](super::TrailEntry::refresh_tokens).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_tokens: Option<String>,
}

impl Receipt {
    /// More records were appended: the receipt is about the first, with the position of the last.
    pub(in crate::admin) fn until(&mut self, last: &Self) {
        self.epoch = last.epoch;
        self.sequence = last.sequence;
    }
}

/// The response to a [`RevocationOrder`] with `?dry_run=true`. Nothing was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DryRun {
    /// What the record would be about.
    pub class: String,
    /// Whether the role of the caller suffices for the order.
    pub allowed: bool,
    /// Whether a record already covers all of it, as far as this server knows.
    pub already_revoked: bool,
    /// Whether tokens that are issued later are revoked too.
    pub permanent: bool,
    /// How many of the live tokens that were used here it would revoke. There may be others. `None` if
    /// this server notes no tokens, and for the orders of a bulk request.
    #[serde(default)]
    pub sightings: Option<usize>,
}
