//! What does a token say of itself?

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{Policy, dialect::ScopeClaim};
use crate::{
    introspect::{Confirmation, Introspection, Scope, TokenKind, TokenType},
    jose::{Jws, Members, numeric_date},
    log::{NumericDate, Selector},
};

/// A token whose claims are in order. Nothing of it has been verified.
pub(super) struct Claimed<'a> {
    pub(super) jws: Jws<'a>,
    pub(super) introspection: Introspection,
}

impl Policy {
    /// Everything that can be judged without a key, so that what is not even said to be ours costs
    /// no fetch.
    pub(super) fn read<'a>(&self, token: &'a str) -> Option<Claimed<'a>> {
        let jws = Jws::parse(token, self.max_size).ok()?;
        if !self.algorithms.contains(&jws.algorithm) || !self.dialect.is_access_token(&jws) {
            return None;
        }
        if name(&jws.claims, "iss")? != Some(&*self.issuer) {
            return None;
        }
        let introspection = self.introspection(&jws.claims)?;
        Some(Claimed { jws, introspection })
    }

    /// A member that is there has to be what it should be: nothing is ignored that could end the
    /// token.
    fn introspection(&self, claims: &Members) -> Option<Introspection> {
        let dialect = &self.dialect;
        let owned = |member: &str| Some(name(claims, member)?.map(str::to_owned));

        let mut token = Introspection::new(TokenKind::AccessToken, self.client(claims)?);
        token.aud = self.audience.admit(claims.get("aud"))?;
        token.sub = owned(&dialect.subject)?;
        token.jti = owned(&dialect.id)?;
        // Never a digest of the token: it has more than one spelling (RFC 7515 §7.1, RFC 7518
        // §3.4).
        let id = token.jti.as_deref();
        token.token = id.map(|id| Selector::token(&self.issuer, id));
        token.sid = optional(dialect.session.as_deref(), owned)?;
        token.grant = optional(dialect.grant.as_deref(), owned)?;
        token.scope = self.scope(claims)?;
        token.cnf = confirmation(claims)?;
        token.token_type = Some(match token.cnf.jkt {
            Some(_) => TokenType::Dpop,
            None => TokenType::Bearer,
        });
        token.iat = date(claims, "iat")?;
        token.nbf = date(claims, "nbf")?;
        let exp = date(claims, "exp")??;
        let latest = token.iat.map(|iat| iat + self.longest_lifetime);
        token.exp = Some(latest.map_or(exp, |latest| exp.min(latest)));
        token.tenant.clone_from(&self.tenant);
        token.iss = Some(self.issuer.clone());
        Some(token)
    }

    /// The client, whom no two members call differently.
    fn client(&self, claims: &Members) -> Option<String> {
        let mut client = None;
        for member in &self.dialect.client {
            let named = name(claims, member)?;
            if client.is_some() && named.is_some() && client != named {
                return None;
            }
            client = client.or(named);
        }
        client.map(str::to_owned)
    }

    fn scope(&self, claims: &Members) -> Option<Option<Scope>> {
        let (member, or_list) = match &self.dialect.scope {
            ScopeClaim::Words(member) => (member, false),
            ScopeClaim::WordsOrList(member) => (member, true),
        };
        Some(match claims.get(member) {
            None => None,
            Some(Value::String(words)) => Some(Scope::new(words.as_str())),
            Some(Value::Array(list)) if or_list => {
                let word = |value: &'_ Value| {
                    let word = value.as_str().map(str::to_owned);
                    word.filter(|word| !word.is_empty() && !word.contains(' '))
                };
                let words: Option<Vec<String>> = list.iter().map(word).collect();
                Some(Scope::new(words?.join(" ")))
            }
            Some(_) => return None,
        })
    }
}

/// A member that, if it is there, must be a string with something in it. An empty one would be a
/// selector of all that have it empty.
fn name<'a>(claims: &'a Members, member: &str) -> Option<Option<&'a str>> {
    let text = claims.text(member).ok()?;
    (text != Some("")).then_some(text)
}

fn optional(
    member: Option<&str>,
    read: impl FnOnce(&str) -> Option<Option<String>>,
) -> Option<Option<String>> {
    member.map_or(Some(None), read)
}

/// A member that, if it is there, must be a date. A fraction of a second is left out: the token is
/// the older for it, and never lives longer.
fn date(claims: &Members, member: &str) -> Option<Option<NumericDate>> {
    let Some(value) = claims.get(member) else {
        return Some(None);
    };
    let since = numeric_date(value)?;
    Some(Some(NumericDate::new(since.as_secs())))
}

/// Whose key it is bound to (RFC 7800 §3, RFC 8705 §3.1, RFC 9449 §6.1). A binding that is not
/// understood must not become none.
fn confirmation(claims: &Members) -> Option<Confirmation> {
    let Some(cnf) = claims.get("cnf") else {
        return Some(Confirmation::default());
    };
    let cnf = cnf.as_object()?;
    let mut confirmation = Confirmation::default();
    confirmation.jkt = thumbprint(cnf.get("jkt"))?;
    confirmation.x5t_s256 = thumbprint(cnf.get("x5t#S256"))?;
    (confirmation != Confirmation::default()).then_some(confirmation)
}

/// The 32 octets that 43 characters are. The decoder takes no padding, and no bits behind.
fn thumbprint(value: Option<&Value>) -> Option<Option<[u8; 32]>> {
    let Some(value) = value else {
        return Some(None);
    };
    let octets = URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?;
    octets.try_into().ok().map(Some)
}
