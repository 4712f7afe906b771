//! The orders that a server keeps.

use serde::{Deserialize, Serialize};

use super::Receipt;

/// An order that the server keeps: who ordered what and why, and what came of it. The response to
/// `GET /v1/revocations/{id}`. Dates are in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TrailEntry {
    /// Names the entry: see [`Receipt::id`].
    pub id: String,
    /// When the order was written, before it was carried out.
    pub ordered: u64,
    /// Who sent the order.
    pub actor: String,
    /// The role of the sender: `operator` or `security`.
    pub role: String,
    /// What the record is about: `subject`, `session`, …, as in
    /// [`SelectorClass::as_str`](crate::log::SelectorClass::as_str).
    pub class: String,
    /// What was to be revoked.
    pub target: TrailTarget,
    /// The issuer that the order names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Tokens that were issued later were spared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The fingerprint of the `Idempotency-Key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// * `revoked`: the records are durable.
    /// * `failed`: the caller was told to try again. The records may have been written nevertheless.
    /// * `unknown`: the order is being carried out. Or its caller went away, or the process ended,
    ///   before that was known.
    pub outcome: String,
    /// What the sender was told, if the outcome is `revoked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// What has become of the refresh tokens that live at the issuer: `untouched`, `pending`, `ended`,
    /// or `failed` if an issuer could not be told. The worst of several issuers. `None` if the record
    /// covers what they mint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_tokens: Option<String>,
    /// The issuers that are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<TrailDelivery>,
}

/// How far telling an issuer of an order is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TrailDelivery {
    /// The issuer.
    pub issuer: String,
    /// `pending`, `ended` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed: a short name, such as `timed_out`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it is tried again, at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// When it ended or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
}

/// What a [`TrailEntry`] revoked.
///
/// The names of sessions, grants and tokens are fingerprints: some applications use the `sid` as
/// session cookie. A fingerprint is the first 16 hexadecimal digits of the SHA-256 of the name, so
/// whoever has the name can look for it: `printf %s "$name" | sha256sum | cut -c1-16`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TrailTarget {
    /// The subject. If the order names a token, the subject of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The client. If the order names a token, the client of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The fingerprint of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The fingerprint of the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The fingerprint of the `jti`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The fingerprint of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The thumbprint of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The fingerprint of the handle. The order was then about one token or session of the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// The response to `GET /v1/revocations`: orders from new to old.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TrailPage {
    /// The orders. There may be fewer than the limit, or none, although there are more: a page looks
    /// at a bounded number of orders.
    pub orders: Vec<TrailEntry>,
    /// The `cursor` of the next page. `None` if this is the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
