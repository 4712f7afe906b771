//! A token before it is signed.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    TestIssuer,
    key::{SigningKey, random_id},
};
use crate::log::NumericDate;

const LIFETIME: Duration = Duration::from_secs(300);

/// An access token of a [`TestIssuer`], before it is signed.
///
/// It is a valid token of RFC 9068 until a setter makes it a wrong one:
///
/// | part | default | setter |
/// |---|---|---|
/// | `typ` | `at+jwt` | [`typ`](Self::typ) |
/// | `alg`, `kid` | of the issuer's key | [`kid`](Self::kid) |
/// | `iss` | the issuer | [`claim`](Self::claim) |
/// | `aud` | the audience of the issuer | [`audience`](Self::audience) |
/// | `sub` | `test-subject` | [`subject`](Self::subject) |
/// | `client_id` | `test-client` | [`client`](Self::client) |
/// | `jti` | random | [`id`](Self::id) |
/// | `iat` | now | [`issued_at`](Self::issued_at) |
/// | `exp` | five minutes after `iat` | [`expires_in`](Self::expires_in), [`expired`](Self::expired) |
/// | signature | of the issuer's key | [`forged`](Self::forged) |
///
/// ```
/// use std::time::Duration;
/// use tower_revocation::test_util::TestIssuer;
///
/// let issuer = TestIssuer::new("https://issuer.test");
/// let token = issuer
///     .token()
///     .subject("alice")
///     .scope("read write")
///     .claim("roles", ["admin"])
///     .expires_in(Duration::from_secs(60))
///     .sign();
/// assert_eq!(token.split('.').count(), 3);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a token has to be signed"]
pub struct TestToken {
    key: Arc<SigningKey>,
    forged: bool,
    typ: String,
    kid: Option<String>,
    issued_at: NumericDate,
    lifetime: Duration,
    claims: Map<String, Value>,
}

impl TestToken {
    pub(super) fn new(iss: &str, aud: &str, now: NumericDate, key: Arc<SigningKey>) -> Self {
        let token = Self {
            kid: Some(key.kid.clone()),
            key,
            forged: false,
            typ: "at+jwt".to_owned(),
            issued_at: now,
            lifetime: LIFETIME,
            claims: Map::new(),
        };
        token
            .claim("iss", iss)
            .audience(aud)
            .subject("test-subject")
            .client("test-client")
            .id(random_id())
    }

    /// Sets `sub`.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// Sets `client_id`.
    pub fn client(self, client_id: impl Into<String>) -> Self {
        self.claim("client_id", client_id.into())
    }

    /// Sets `aud`. With another audience than the issuer's, the token is for another API.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.claim("aud", audience.into())
    }

    /// Sets `scope`: words, separated by spaces (RFC 8693 §4.2).
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.claim("scope", scope.into())
    }

    /// Sets `jti`, the identifier of the token.
    pub fn id(self, jti: impl Into<String>) -> Self {
        self.claim("jti", jti.into())
    }

    /// Sets `sid`, the session.
    pub fn session(self, sid: impl Into<String>) -> Self {
        self.claim("sid", sid.into())
    }

    /// Sets the grant, in the claim [`GRANT_CLAIM`](TestIssuer::GRANT_CLAIM).
    pub fn grant(self, grant: impl Into<String>) -> Self {
        self.claim(TestIssuer::GRANT_CLAIM, grant.into())
    }

    /// Sets any claim. [`issued_at`](Self::issued_at) and [`expires_in`](Self::expires_in) set `iat`
    /// and `exp`; this overrides them.
    ///
    /// # Panics
    ///
    /// Panics if the value is not representable in JSON, such as a map with keys that are not
    /// strings.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("a value of JSON");
        self.claims.insert(name.into(), value);
        self
    }

    /// Removes a claim. `iat` and `exp` too.
    pub fn without(self, name: impl Into<String>) -> Self {
        // `sign` leaves out what is null.
        self.claim(name, Value::Null)
    }

    /// Sets `iat`. Defaults to the time of the issuer's [clock](TestIssuer::clock).
    pub fn issued_at(mut self, iat: NumericDate) -> Self {
        self.issued_at = iat;
        self
    }

    /// Sets `exp`, as a duration after `iat`. A fraction of a second counts as a whole one. Defaults to five minutes.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Makes the token one that has expired: it is issued an hour before, and `exp` is five minutes
    /// after that.
    pub fn expired(mut self) -> Self {
        let iat = self.issued_at.seconds().saturating_sub(3600);
        self.issued_at = NumericDate::new(iat);
        self.expires_in(LIFETIME)
    }

    /// Sets the `typ` of the header. `JWT` makes the token look like an ID token.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = typ.into();
        self
    }

    /// Sets the `kid` of the header, or removes it.
    pub fn kid<'a>(mut self, kid: impl Into<Option<&'a str>>) -> Self {
        self.kid = kid.into().map(str::to_owned);
        self
    }

    /// Signs the token with a key that the issuer does not have, under the `kid` of the issuer's
    /// key.
    pub fn forged(mut self) -> Self {
        self.forged = true;
        self
    }

    /// The signed token: a compact JWS, for `Authorization: Bearer`.
    ///
    /// # Panics
    ///
    /// Panics if the system has no random bytes.
    #[must_use]
    pub fn sign(&self) -> String {
        let another;
        let key = if self.forged {
            another = SigningKey::generate(self.key.algorithm());
            &another
        } else {
            &*self.key
        };
        let mut header = json!({ "alg": key.algorithm().as_str(), "typ": self.typ });
        if let Some(kid) = &self.kid {
            header["kid"] = kid.as_str().into();
        }
        let exp = self.issued_at + self.lifetime;
        let mut claims = Map::from_iter([
            ("iat".to_owned(), self.issued_at.seconds().into()),
            ("exp".to_owned(), exp.seconds().into()),
        ]);
        claims.extend(self.claims.clone());
        claims.retain(|_, value| !value.is_null());
        key.sign(&header, &Value::Object(claims))
    }
}
