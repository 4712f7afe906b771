//! What was issued together with a refresh token.

#[cfg(doc)]
use crate::introspect::Claims;
use crate::log::{NumericDate, Selector};

/// The tokens that were issued with a refresh token, if they have neither a grant nor a session in
/// common: see [`Claims::issued_with`].
///
/// [`RecordRevocation`](crate::revoke::RecordRevocation) revokes them together with the refresh
/// token, unless its cascade is only the token.
///
/// ```
/// use tower_revocation::{introspect::IssuedWith, log::{NumericDate, Selector}};
///
/// let mut with = IssuedWith::default();
/// let exp = NumericDate::new(1_300_819_380);
/// with.tokens.push((Selector::token("https://as.example.com", "jti-1"), exp));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedWith {
    /// The selector of each token that has one, and when the token expires.
    pub tokens: Vec<(Selector, NumericDate)>,
    /// When the last of the tokens expires that no selector in [`tokens`](Self::tokens) names, if
    /// there are any. To revoke these, every token that the client holds for the subject until now
    /// is revoked.
    pub unnamed_until: Option<NumericDate>,
    /// When the last token was issued, by the clock of its issuer.
    pub latest_iat: Option<NumericDate>,
}
