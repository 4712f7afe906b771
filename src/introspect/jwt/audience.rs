//! Is the token for us?

use serde_json::Value;

use crate::jose::Claim;

/// Which `aud` a token may have (RFC 9068 §4, RFC 8725 §3.9).
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
    /// One of these at least. The token may be for others too.
    ///
    /// # Panics
    ///
    /// If there is none: that is a setting that was forgotten.
    #[must_use]
    pub fn any_of<I>(accepted: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let accepted: Vec<String> = accepted.into_iter().map(Into::into).collect();
        assert!(!accepted.is_empty(), "an audience has at least one name");
        Self(Some(accepted))
    }

    /// Whoever it is for, and also if it does not say.
    ///
    /// For tokens that name no audience, and for a revocation endpoint, which has to know all that
    /// its issuer issues. **Where requests are let through it lets a token that was made for one
    /// resource server be used at another**, by whoever it was sent to.
    #[must_use]
    pub fn unchecked() -> Self {
        Self(None)
    }

    /// The names in an `aud`, if it is well-formed and one of them is ours.
    pub(super) fn admit(&self, aud: Option<Claim<'_>>) -> Option<Vec<String>> {
        let names = match aud {
            None => Vec::new(),
            Some(Claim::Text(name)) => vec![name.to_owned()],
            Some(Claim::Other(Value::Array(names))) => names
                .iter()
                .map(|name| name.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            Some(_) => return None,
        };
        self.admits(&names).then_some(names)
    }

    /// Whether one of the names is ours.
    pub(in crate::introspect) fn admits(&self, names: &[String]) -> bool {
        let is_ours = |accepted: &Vec<String>| names.iter().any(|name| accepted.contains(name));
        self.0.as_ref().is_none_or(is_ours)
    }
}
