//! The sessions of the user who asks.

use serde::{Deserialize, Serialize};

/// The response to `GET /v1/me/sessions`. Dates are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnSessionsList {
    /// Since when this server notes tokens. **The list has no session that was not used here since
    /// then.**
    pub seen_here_since: u64,
    /// The sessions that are live: the current one first, then the latest use first.
    pub sessions: Vec<OwnSession>,
}

/// A session of the user who asks: the tokens with one `sid`, or else of one grant, or else one token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OwnSession {
    /// The identifier for `DELETE /v1/me/sessions/{id}`.
    pub id: String,
    /// Whether it is the session of the token with which the user asks.
    pub current: bool,
    /// When its first token was issued, of those that were used here. `None` if that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// When it was last used here.
    pub last_seen: u64,
    /// When its last token expires. `None` if one does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// The browser of the last use: `chrome`, `edge`, `firefox`, `opera`, `safari`, `samsung` or
    /// `other`.
    pub browser: String,
    /// The network of the last use: the first 24 bits of an IPv4 address, or the first 48 of an IPv6
    /// address. `None` if it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The clients that its tokens were issued to.
    pub clients: Vec<String>,
}

/// The response to `POST /v1/me/sessions:revoke-others`: the other sessions are revoked, and the
/// records are durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OthersRevoked {
    /// How many sessions were revoked.
    pub revoked: usize,
    /// Since when this server notes tokens. **A session that was not used here since then lives on.**
    pub seen_here_since: u64,
}
