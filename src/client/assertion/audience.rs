//! Accepted audiences of assertions.

use serde_json::Value;

use crate::{client::registry::Client, jose::Claim};

/// Which `aud` an assertion may have (RFC 7523 §3). Defaults to [`issuer`](Self::issuer).
///
/// **Compared byte for byte, without normalisation**: a different slash, case or port is a
/// different audience (RFC 3986 §6.2.1).
///
/// If the audience is the URL of an endpoint, an assertion for one server can be passed on to
/// another. The revision of RFC 7523 therefore forbids it, but some clients still send it:
///
/// | client | sends | needs |
/// |---|---|---|
/// | `oauth4webapi`, `openid-client`, `huskarl` | the issuer | nothing |
/// | `Authlib`, `requests_oauth2client`, `iddawc` | the URL of the endpoint that it calls | [`legacy`](Self::legacy), with the token and the revocation endpoint |
///
/// ```
/// use tower_revocation::client::assertion::{Assertions, AudiencePolicy};
///
/// let issuer = "https://as.example.com";
/// let audience = AudiencePolicy::legacy(
///     issuer,
///     ["https://as.example.com/oauth2/token", "https://as.example.com/oauth2/revoke"],
/// );
/// let assertions = Assertions::new(issuer).audience(audience);
/// ```
#[derive(Clone, Debug)]
pub struct AudiencePolicy {
    accepted: Vec<String>,
    form: Form,
    /// Whether only the issuers of the client are accepted.
    of_client: bool,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    String,
    OneElement,
    Array,
}

impl AudiencePolicy {
    /// Accepts the issuer, as a string or as the only element of an array.
    #[must_use]
    pub fn issuer(issuer: impl Into<String>) -> Self {
        Self {
            accepted: vec![issuer.into()],
            form: Form::OneElement,
            of_client: false,
        }
    }

    /// Accepts any of the issuers that the client is [registered](Client::issuers) for, as a string or
    /// as the only element of an array. For a server with clients of several `issuers`.
    ///
    /// So an assertion that a client sent to another issuer is refused. A client that is registered
    /// for no particular issuer may name any of `issuers`.
    ///
    /// ```
    /// use tower_revocation::client::assertion::{Assertions, AudiencePolicy};
    ///
    /// let issuers = ["https://shop.example.com", "https://bank.example.com"];
    /// let audience = AudiencePolicy::issuers_of_client(issuers);
    /// let assertions = Assertions::new(issuers[0]).audience(audience);
    /// ```
    #[must_use]
    pub fn issuers_of_client<I>(issuers: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        Self {
            accepted: issuers.into_iter().map(Into::into).collect(),
            form: Form::OneElement,
            of_client: true,
        }
    }

    /// Accepts the issuer only as a string, as the revision of RFC 7523 requires.
    #[must_use]
    pub fn string_only(issuer: impl Into<String>) -> Self {
        Self {
            accepted: vec![issuer.into()],
            form: Form::String,
            of_client: false,
        }
    }

    /// Accepts the issuer or any of these URLs, as a string or as an array that contains nothing
    /// else.
    ///
    /// Someone who obtains an assertion for one endpoint can use it at every endpoint in this list,
    /// once.
    #[must_use]
    pub fn legacy<I>(issuer: impl Into<String>, endpoints: I) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let mut accepted = vec![issuer.into()];
        accepted.extend(endpoints.into_iter().map(Into::into));
        Self {
            accepted,
            form: Form::Array,
            of_client: false,
        }
    }

    /// The accepted values, for the log.
    pub(super) fn expected(&self) -> &[String] {
        &self.accepted
    }

    /// Whether the assertion may have been meant for this server.
    pub(super) fn admits<'a>(&self, aud: impl Into<Claim<'a>>) -> bool {
        self.is_one_of(&self.accepted, aud)
    }

    /// The same for an assertion of this client.
    pub(super) fn admits_from<'a>(&self, client: &Client, aud: impl Into<Claim<'a>>) -> bool {
        !self.of_client || client.issuers().is_empty() || self.is_one_of(client.issuers(), aud)
    }

    fn is_one_of<'a>(&self, accepted: &[String], aud: impl Into<Claim<'a>>) -> bool {
        let names_us = |aud: &str| accepted.iter().any(|ours| ours == aud);
        let is_ours = |aud: &Value| aud.as_str().is_some_and(names_us);
        match (aud.into(), self.form) {
            // Every other party in the list could use the assertion.
            (Claim::Other(Value::Array(list)), Form::OneElement) => {
                list.len() == 1 && is_ours(&list[0])
            }
            (Claim::Other(Value::Array(list)), Form::Array) => {
                !list.is_empty() && list.iter().all(is_ours)
            }
            (Claim::Text(aud), _) => names_us(aud),
            (Claim::Other(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://as.example.com";

    #[test]
    fn issuer_is_compared_byte_for_byte() {
        let policy = AudiencePolicy::issuer(ISSUER);
        assert!(policy.admits(&json!(ISSUER)));
        for other in [
            "https://as.example.com/",
            "HTTPS://AS.EXAMPLE.COM",
            "https://as.example.com:443",
            "https://as.example.com/token",
            "",
        ] {
            assert!(!policy.admits(&json!(other)), "{other}");
            assert!(!policy.admits(&json!([other])), "{other}");
        }
        for odd in [json!(null), json!(1), json!({ "0": ISSUER }), json!([])] {
            assert!(!policy.admits(&odd), "{odd}");
        }
    }

    #[test]
    fn array_with_another_audience_is_refused() {
        let policy = AudiencePolicy::issuer(ISSUER);
        assert!(policy.admits(&json!([ISSUER])));
        assert!(!policy.admits(&json!([ISSUER, "https://rs.example.com"])));
        assert!(!policy.admits(&json!([ISSUER, ISSUER])));
        assert!(!policy.admits(&json!([[ISSUER]])));

        let token = "https://as.example.com/token";
        let policy = AudiencePolicy::legacy(ISSUER, [token]);
        assert!(policy.admits(&json!(token)) && policy.admits(&json!([ISSUER, token])));
        assert!(!policy.admits(&json!([token, "https://rs.example.com"])));
        assert!(!policy.admits(&json!([])));
    }

    #[test]
    fn string_only_refuses_an_array() {
        let policy = AudiencePolicy::string_only(ISSUER);
        assert!(policy.admits(&json!(ISSUER)) && !policy.admits(&json!([ISSUER])));
    }
}
