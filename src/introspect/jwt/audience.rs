//! The audience that a token must have.

use serde_json::Value;

use crate::jose::Claim;

/// The audience (`aud`) that a token must have (RFC 9068 §4, RFC 8725 §3.9).
///
/// **Compared byte for byte, without normalisation.**
///
/// ```
/// use tower_revocation::introspect::jwt::Audience;
///
/// let audience = Audience::any_of(["https://api.example.com"]);
/// ```
#[derive(Clone, Debug)]
pub struct Audience(Option<Vec<String>>);

impl Audience {
    /// The token must be for at least one of these audiences. It may be for others too.
    ///
    /// # Panics
    ///
    /// Panics if there are no audiences, which is probably a forgotten setting.
    #[must_use]
    pub fn any_of<I>(accepted: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let accepted: Vec<String> = accepted.into_iter().map(Into::into).collect();
        assert!(!accepted.is_empty(), "there are no audiences");
        Self(Some(accepted))
    }

    /// The token may be for any audience, or for none.
    ///
    /// Use it for tokens that name no audience, and for a revocation endpoint, which has to know
    /// all tokens of its issuer. **In enforcement it accepts a token that was made for another
    /// resource server**: that server could use the token here.
    #[must_use]
    pub fn unchecked() -> Self {
        Self(None)
    }

    /// The names in an `aud`, if it is well-formed and one of them is accepted.
    pub(super) fn admit(&self, aud: Option<Claim<'_>>) -> Option<Vec<String>> {
        let names = match aud {
            None => Vec::new(),
            Some(Claim::Text(name)) => vec![name.to_owned()],
            Some(Claim::Other(Value::Array(array))) => {
                // They may be cached, so the vector has no spare capacity.
                let mut names = Vec::with_capacity(array.len());
                for name in array {
                    names.push(name.as_str()?.to_owned());
                }
                names
            }
            Some(_) => return None,
        };
        self.admits(&names).then_some(names)
    }

    /// Whether one of the names is accepted.
    pub(in crate::introspect) fn admits(&self, names: &[String]) -> bool {
        let is_accepted = |accepted: &Vec<String>| names.iter().any(|name| accepted.contains(name));
        self.0.as_ref().is_none_or(is_accepted)
    }
}
