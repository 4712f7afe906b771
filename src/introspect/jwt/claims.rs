//! Reads the claims of a token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{config::Config, dialect::ScopeClaim};
use crate::{
    introspect::{self, Confirmation, Introspected, Reason, Scope, TokenKind, TokenType},
    jose::{Claim, Claims, Jws, JwsError, Malformed},
    log::{NumericDate, Selector},
};

/// The value of a claim. `None` if it is missing.
type Read<T> = Result<Option<T>, Malformed>;

impl Config {
    /// Parses a token that claims to be from the issuer, with an accepted algorithm. Any other
    /// token causes no fetch of keys.
    ///
    /// # Errors
    ///
    /// What the token is instead. A token that cannot be parsed here may be from the issuer, so it
    /// is unhandled. A token with another algorithm is unrecognised: whether the issuer uses other
    /// algorithms for other tokens is for the backend to say.
    pub(super) fn parse<'a>(&self, token: &'a str) -> Result<Jws<'a>, Introspected> {
        let unhandled = |reason| Introspected::Unhandled { reason, exp: None };
        if token.len() > self.max_size {
            return Err(unhandled(Reason::NotAToken));
        }
        let jws = Jws::parse(token, self.max_size).map_err(|error| match error {
            JwsError::Malformed => Introspected::Unrecognised(Reason::NotAToken),
            JwsError::Unsupported => unhandled(Reason::NotAToken),
            JwsError::Algorithm => Introspected::Unrecognised(Reason::Algorithm),
        })?;
        if text(&jws.claims, "iss") != Ok(Some(&*self.issuer)) {
            return Err(Introspected::Unrecognised(Reason::Issuer));
        }
        if !self.algorithms.contains(&jws.algorithm) {
            return Err(Introspected::Unrecognised(Reason::Algorithm));
        }
        Ok(jws)
    }

    /// What a token is that the issuer has signed.
    pub(super) fn genuine(&self, jws: Jws<'_>) -> Introspected {
        match self.read(&jws) {
            Ok(mut token) => {
                token.set_parsed_json(jws.claims.into_json());
                Introspected::Token(token.into())
            }
            Err(reason) => Introspected::Unhandled {
                reason,
                // Some issuers write 0 for "never".
                exp: end(&jws.claims)
                    .unwrap_or_default()
                    .filter(|exp| exp.seconds() > 0),
            },
        }
    }

    /// Reads the claims. A claim of the wrong form is an error and never ignored: a record may be
    /// about its value.
    fn read(&self, jws: &Jws<'_>) -> Result<introspect::Claims, Reason> {
        let (claims, dialect) = (&jws.claims, &self.dialect);
        dialect.check(jws)?;
        let owned = |claim: &str| -> Read<String> { Ok(text(claims, claim)?.map(str::to_owned)) };
        let if_named = |claim: &Option<String>| claim.as_deref().map_or(Ok(None), owned);

        let client = self.client(claims).map_err(|_| Reason::Client)?;
        let mut token = introspect::Claims::new(TokenKind::AccessToken, client);
        token.aud = self
            .audience
            .admit(claims.get("aud"))
            .ok_or(Reason::Audience)?;
        token.sub = owned(&dialect.subject)?;
        token.jti = owned(&dialect.id)?;
        // Never a digest of the token, which has several spellings: another signature, or another
        // order of the members.
        let id = token.jti.as_deref();
        token.token = id.map(|id| Selector::token(&self.issuer, id));
        token.sid = if_named(&dialect.session)?;
        token.grant = if_named(&dialect.grant)?;
        if let Some(claim) = &dialect.ancestors {
            token.ancestors = texts(claims, claim)?.unwrap_or_default();
        }
        token.scope = scope(claims, &dialect.scope)?;
        token.cnf = confirmation(claims)?;
        token.token_type = Some(match token.cnf.jkt {
            Some(_) => TokenType::Dpop,
            None => TokenType::Bearer,
        });
        token.iat = date(claims, "iat")?;
        token.nbf = date(claims, "nbf")?;
        token.exp = Some(end(claims)?.ok_or(Reason::Claim)?);
        token.limit(token.iat.map(|iat| iat + self.longest_lifetime));
        token.tenant.clone_from(&self.tenant);
        token.iss = Some(self.issuer.clone());
        Ok(token)
    }

    /// The client. An error if two claims name different ones.
    fn client<'a>(&self, claims: &'a Claims) -> Result<&'a str, Malformed> {
        let mut client = None;
        for claim in &self.dialect.client {
            let named = text(claims, claim)?;
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

/// A claim that must be a non-empty string. An empty one would select all tokens with an empty one.
fn text<'a>(claims: &'a Claims, claim: &str) -> Read<&'a str> {
    match claims.text(claim)? {
        Some("") => Err(Malformed),
        text => Ok(text),
    }
}

/// A claim that must be a date. The fraction of a second is dropped: the token then counts as
/// older, and never lives longer.
pub(super) fn date(claims: &Claims, claim: &str) -> Read<NumericDate> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    let since = value.as_date().ok_or(Malformed)?;
    Ok(Some(NumericDate::new(since.as_secs())))
}

/// The `exp`. A date beyond the calendar is accepted and means "never".
pub(super) fn end(claims: &Claims) -> Read<NumericDate> {
    let Some(value) = claims.get("exp") else {
        return Ok(None);
    };
    let since = value.as_expiry().ok_or(Malformed)?;
    Ok(Some(NumericDate::new(since.as_secs())))
}

fn scope(claims: &Claims, claim: &ScopeClaim) -> Read<Scope> {
    let (claim, or_array) = match claim {
        ScopeClaim::Words(claim) => (claim, false),
        ScopeClaim::WordsOrArray(claim) => (claim, true),
    };
    let words = match claims.get(claim) {
        None => return Ok(None),
        Some(Claim::Text(words)) => words.to_owned(),
        Some(Claim::Other(Value::Array(array))) if or_array => {
            let words: Option<Vec<&str>> = array.iter().map(word).collect();
            words.ok_or(Malformed)?.join(" ")
        }
        Some(_) => return Err(Malformed),
    };
    Ok(Some(Scope::new(words)))
}

/// A claim that must be an array of non-empty strings.
fn texts(claims: &Claims, claim: &str) -> Read<Vec<String>> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    let Some(Value::Array(array)) = value.as_other() else {
        return Err(Malformed);
    };
    let text = |value: &Value| {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or(Malformed)
    };
    array.iter().map(text).collect::<Result<_, _>>().map(Some)
}

/// One word, without spaces: joined with others it is still one word.
fn word(value: &Value) -> Option<&str> {
    let word = value.as_str()?;
    (!word.is_empty() && !word.contains(' ')).then_some(word)
}

/// The key that the token is bound to (RFC 7800 §3, RFC 8705 §3.1, RFC 9449 §6.1). A binding that
/// is not understood is an error: it must not be ignored.
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

/// 32 bytes, encoded in 43 characters. The decoder accepts neither padding nor trailing bits.
fn thumbprint(value: Option<&Value>) -> Read<[u8; 32]> {
    let Some(value) = value else { return Ok(None) };
    let text = value.as_str().ok_or(Malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Malformed)?;
    bytes.try_into().map(Some).map_err(|_| Malformed)
}
