//! What does a token say of itself?

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{Policy, dialect::ScopeClaim};
use crate::{
    introspect::{
        self, Confirmation, Introspected, Introspection, Reason, Scope, TokenKind, TokenType,
    },
    jose::{Claim, Claims, Jws, JwsError, Malformed},
    log::{NumericDate, Selector},
};

/// What is read of a member, which may be missing.
type Read<T> = Result<Option<T>, Malformed>;

impl Policy {
    /// A token that is said to be of our issuer, by an algorithm that is accepted. What is not even
    /// said to be costs no key and no fetch.
    ///
    /// # Errors
    ///
    /// What the token is instead. One that was not looked at may be our issuer's, so it is not
    /// handled. One of another algorithm was: whether the issuer uses others for other tokens is for
    /// the backend to say.
    pub(super) fn claimed<'a>(&self, token: &'a str) -> Result<Jws<'a>, Introspected> {
        let unhandled = |reason| Introspected::Unhandled { reason, exp: None };
        if token.len() > self.max_size {
            return Err(unhandled(Reason::NotAToken));
        }
        let jws = Jws::parse(token, self.max_size).map_err(|error| match error {
            JwsError::Malformed => Introspected::Unrecognised(Reason::NotAToken),
            JwsError::Unsupported => unhandled(Reason::NotAToken),
            JwsError::Algorithm => Introspected::Unrecognised(Reason::Algorithm),
        })?;
        if name(&jws.claims, "iss") != Ok(Some(&*self.issuer)) {
            return Err(Introspected::Unrecognised(Reason::Issuer));
        }
        if !self.algorithms.contains(&jws.algorithm) {
            return Err(Introspected::Unrecognised(Reason::Algorithm));
        }
        Ok(jws)
    }

    /// What a token is that our issuer has signed.
    pub(super) fn genuine(&self, jws: &Jws<'_>) -> Introspected {
        match self.introspection(jws) {
            Ok(token) => Introspected::Token(token),
            Err(reason) => Introspected::Unhandled {
                reason,
                // Some say 0 for never.
                exp: end(&jws.claims)
                    .unwrap_or_default()
                    .filter(|exp| exp.seconds() > 0),
            },
        }
    }

    /// A member that is there has to be what it should be: nothing is ignored that could end the
    /// token.
    fn introspection(&self, jws: &Jws<'_>) -> Result<Introspection, Reason> {
        let (claims, dialect) = (&jws.claims, &self.dialect);
        dialect.check(jws)?;
        let owned = |member: &str| -> Read<String> { Ok(name(claims, member)?.map(str::to_owned)) };
        let if_said = |member: &Option<String>| member.as_deref().map_or(Ok(None), owned);

        let client = self.client(claims).map_err(|_| Reason::Client)?;
        let mut token = introspect::Claims::new(TokenKind::AccessToken, client);
        token.aud = self
            .audience
            .admit(claims.get("aud"))
            .ok_or(Reason::Audience)?;
        token.sub = owned(&dialect.subject)?;
        token.jti = owned(&dialect.id)?;
        // Never a digest of the token, which has more than one spelling: another signature, another
        // order of the members.
        let id = token.jti.as_deref();
        token.token = id.map(|id| Selector::token(&self.issuer, id));
        token.sid = if_said(&dialect.session)?;
        token.grant = if_said(&dialect.grant)?;
        token.scope = scope(claims, &dialect.scope)?;
        token.cnf = confirmation(claims)?;
        token.token_type = Some(match token.cnf.jkt {
            Some(_) => TokenType::Dpop,
            None => TokenType::Bearer,
        });
        token.iat = date(claims, "iat")?;
        token.nbf = date(claims, "nbf")?;
        let exp = end(claims)?.ok_or(Reason::Claim)?;
        let latest = token.iat.map(|iat| iat + self.longest_lifetime);
        token.exp = Some(latest.map_or(exp, |latest| exp.min(latest)));
        token.tenant.clone_from(&self.tenant);
        token.iss = Some(self.issuer.clone());
        Ok(token.into())
    }

    /// The client, whom no two members call differently.
    fn client<'a>(&self, claims: &'a Claims) -> Result<&'a str, Malformed> {
        let mut client = None;
        for member in &self.dialect.client {
            let named = name(claims, member)?;
            if client.is_some() && named.is_some() && client != named {
                return Err(Malformed);
            }
            client = client.or(named);
        }
        client.ok_or(Malformed)
    }
}

impl From<Malformed> for Reason {
    fn from(_: Malformed) -> Self {
        Self::Claim
    }
}

/// A member that, if it is there, must be a string with something in it. An empty one would be a
/// selector of all that have it empty.
fn name<'a>(claims: &'a Claims, member: &str) -> Read<&'a str> {
    match claims.text(member)? {
        Some("") => Err(Malformed),
        name => Ok(name),
    }
}

/// A member that, if it is there, must be a date. A fraction of a second is left out: the token is
/// the older for it, and never lives longer.
pub(super) fn date(claims: &Claims, member: &str) -> Read<NumericDate> {
    let Some(value) = claims.get(member) else {
        return Ok(None);
    };
    let since = value.as_date().ok_or(Malformed)?;
    Ok(Some(NumericDate::new(since.as_secs())))
}

/// The `exp`. One beyond the calendar is no end.
pub(super) fn end(claims: &Claims) -> Read<NumericDate> {
    let Some(value) = claims.get("exp") else {
        return Ok(None);
    };
    let since = value.as_expiry().ok_or(Malformed)?;
    Ok(Some(NumericDate::new(since.as_secs())))
}

fn scope(claims: &Claims, claim: &ScopeClaim) -> Read<Scope> {
    let (member, or_list) = match claim {
        ScopeClaim::Words(member) => (member, false),
        ScopeClaim::WordsOrList(member) => (member, true),
    };
    let words = match claims.get(member) {
        None => return Ok(None),
        Some(Claim::Text(words)) => words.to_owned(),
        Some(Claim::Other(Value::Array(list))) if or_list => {
            let words: Option<Vec<&str>> = list.iter().map(word).collect();
            words.ok_or(Malformed)?.join(" ")
        }
        Some(_) => return Err(Malformed),
    };
    Ok(Some(Scope::new(words)))
}

/// One word, which stays one among others.
fn word(value: &Value) -> Option<&str> {
    let word = value.as_str()?;
    (!word.is_empty() && !word.contains(' ')).then_some(word)
}

/// Whose key it is bound to (RFC 7800 §3, RFC 8705 §3.1, RFC 9449 §6.1). A binding that is not
/// understood must not become none.
fn confirmation(claims: &Claims) -> Result<Confirmation, Malformed> {
    let Some(cnf) = claims.get("cnf") else {
        return Ok(Confirmation::default());
    };
    let cnf = cnf.as_other().and_then(Value::as_object).ok_or(Malformed)?;
    let confirmation = Confirmation {
        jkt: thumbprint(cnf.get("jkt"))?,
        x5t_s256: thumbprint(cnf.get("x5t#S256"))?,
    };
    if confirmation == Confirmation::default() {
        return Err(Malformed);
    }
    Ok(confirmation)
}

/// The 32 octets that 43 characters are. The decoder takes no padding, and no bits behind.
fn thumbprint(value: Option<&Value>) -> Read<[u8; 32]> {
    let Some(value) = value else { return Ok(None) };
    let text = value.as_str().ok_or(Malformed)?;
    let octets = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
    octets.try_into().map(Some).map_err(|_| Malformed)
}
