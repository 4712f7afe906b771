//! What a token is, and whether it is live.

use serde::{Deserialize, Serialize};

use super::secret;
use crate::token::Secret;

/// The body of `POST /v1/tokens:inspect`.
///
/// ```
/// use tower_revocation::{Secret, admin::InspectionOrder};
///
/// let order = InspectionOrder::new(Secret::new("45ghiukldjahdnhzdauz"));
/// assert_eq!(serde_json::to_string(&order)?, r#"{"token":"45ghiukldjahdnhzdauz"}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct InspectionOrder {
    /// The token. It is not kept.
    #[serde(with = "secret")]
    pub token: Secret,
}

impl InspectionOrder {
    /// Asks about this token.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self { token }
    }
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inspection {
    /// `live`, `revoked`, `expired`, `too_old`, `rotated`, `not_yet`, `invalid`, or `unknown` if the
    /// index is not fresh. A token is too old if its own `exp` is beyond the longest lifetime of tokens.
    pub verdict: String,
    /// Why the token is invalid: see [`Reason`](crate::introspect::Reason).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The class of the record that revokes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_by: Option<String>,
    /// The claims, if the token is genuine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<InspectedClaims>,
    /// What a record that revokes it can be about.
    pub selectors: Vec<InspectedSelector>,
}

/// The claims of a genuine token, in the terms of RFC 7662 §2.2. Dates are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[derive(Default)]
pub struct InspectedClaims {
    /// `access_token` or `refresh_token`.
    pub kind: String,
    /// The issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The client.
    pub client_id: String,
    /// The subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The audience.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aud: Vec<String>,
    /// The identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The scope: words separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When the token was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// When it becomes valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
}

/// A selector of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InspectedSelector {
    /// The class.
    pub class: String,
    /// Whether a record about it covers the token.
    pub revoked: bool,
}
