//! Tokens that were used here.

use serde::{Deserialize, Serialize};

/// The response to `GET /v1/sightings`: a part of the tokens of a subject that were used here. Dates
/// are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SightingsPage {
    /// Since when this server notes tokens. **The page has no token that was not used here since
    /// then.**
    pub seen_here_since: u64,
    /// The tokens, the latest first use first.
    pub sightings: Vec<SeenToken>,
    /// The `cursor` of the next page. `None` if this is the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A token that was used here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeenToken {
    /// Names the token in an order: see [`OrderTarget::handle`](super::OrderTarget::handle).
    pub handle: String,
    /// Names its session in an order: the session (`sid`), or else the grant, or else the token alone.
    pub session: String,
    /// `live`, `revoked`, or `unknown` if the index is not fresh.
    pub verdict: String,
    /// The client that the token was issued to.
    pub client: String,
    /// When the token was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<u64>,
    /// When the token expires. `None` if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// When it was first used here.
    pub first_use: u64,
    /// When it was last used here.
    pub last_use: u64,
    /// The browser of the last use: `chrome`, `edge`, `firefox`, `opera`, `safari`, `samsung` or
    /// `other`.
    pub browser: String,
    /// The network of the last use: the first 24 bits of an IPv4 address, or the first 48 of an IPv6
    /// address. `None` if it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}
