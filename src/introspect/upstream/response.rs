//! What does the answer say of the token?

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{UpstreamError, UpstreamErrorKind};
use crate::{
    introspect::{
        Confirmation, Introspected, Introspection, Reason, Scope, TokenKind, TokenType,
        jwt::Audience,
    },
    jose::{Members, expiry, numeric_date},
    log::{NumericDate, Selector},
    token::Secret,
};

/// How long after its `exp` a token may be said to be active: so far clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(60);

type Answer = Map<String, Value>;
type Reading<T> = Result<T, UpstreamError>;

/// What the other server calls things, and what they are called here.
#[derive(Clone)]
pub(super) struct Dialect {
    pub(super) client_claim: String,
    pub(super) grant_claim: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) audience: Option<Audience>,
    pub(super) longest_lifetime: Option<Duration>,
    pub(super) any_visible_token: bool,
}

impl Dialect {
    /// Reads the answer about this token (RFC 7662 §2.2). What of it is not known is ignored.
    pub(super) fn read(&self, token: &Secret, json: &[u8]) -> Reading<Introspected> {
        let answer = Members::parse(json)
            .map_err(|_| UpstreamError::malformed("the answer is no one JSON object"))?;
        self.interpret(token, answer.as_map())
    }

    /// What the members mean, wherever they stood.
    pub(super) fn interpret(&self, token: &Secret, answer: &Answer) -> Reading<Introspected> {
        match answer.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Ok(None.into()),
            _ => return Err(UpstreamError::malformed("`active` is no boolean")),
        }
        let iat = date(answer, "iat")?;
        let exp = self.exp(answer, iat)?;
        let unhandled = |reason| Ok(Introspected::Unhandled { reason, exp });
        let Some(kind) = kind(answer) else {
            return unhandled(Reason::Typ);
        };
        let aud = match &self.audience {
            Some(audience) => {
                let aud = audience_of(answer)?;
                if !audience.admits(&aud) {
                    return unhandled(Reason::Audience);
                }
                aud
            }
            None => audience_of(answer).unwrap_or_default(),
        };
        let client_id = text(answer, &self.client_claim)?.ok_or(UpstreamError::new(
            UpstreamErrorKind::Unowned,
            "the answer names no client",
        ))?;

        let mut known = Introspection::new(kind, client_id);
        known.tenant.clone_from(&self.tenant);
        known.iss = text(answer, "iss")?;
        known.sub = text(answer, "sub")?;
        known.aud = aud;
        known.jti = text(answer, "jti")?;
        known.sid = text(answer, "sid")?;
        known.scope = scope(answer);
        known.cnf = confirmation(answer)?;
        known.iat = iat;
        known.nbf = date(answer, "nbf")?;
        known.exp = exp;
        if exp.is_some_and(|exp| exp + LEEWAY < NumericDate::now()) {
            return Err(UpstreamError::malformed("the token is active and expired"));
        }
        known.token_type = word(answer, "token_type").and_then(TokenType::from_name);
        if let Some(name) = &self.grant_claim {
            known.grant = text(answer, name)?;
        }
        known.token = match (&known.iss, &known.jti) {
            (Some(iss), Some(jti)) => Some(Selector::token(iss, jti)),
            _ if has_one_spelling(token.expose(), self.any_visible_token) => Some(opaque(token)),
            _ => None,
        };
        Ok(Introspected::Token(known))
    }

    /// When it expires, if ever: at its `exp`, or when it has lived for as long as any token may.
    fn exp(&self, answer: &Answer, iat: Option<NumericDate>) -> Reading<Option<NumericDate>> {
        let said = match answer.get("exp") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let exp = expiry(value).ok_or(UpstreamError::malformed("`exp` is no date"))?;
                Some(NumericDate::new(exp.as_secs()))
            }
        };
        let said = said.filter(|exp| exp.seconds() > 0 && *exp < NumericDate::FOREVER);
        let latest = iat.zip(self.longest_lifetime);
        let latest = latest.map(|(iat, lifetime)| iat + lifetime);
        Ok(said.into_iter().chain(latest).min())
    }
}

/// What the token is used as; none of it, if the answer says that it is an ID token.
///
/// The standard has no word for it (RFC 7662 §2.2), so every one that a server is known to use
/// counts. They are looked for in every place: an access token's `token_type` is `Bearer` with some
/// servers for refresh tokens too.
fn kind(answer: &Answer) -> Option<TokenKind> {
    let mut kind = Some(TokenKind::AccessToken);
    for name in ["token_type", "token_use", "typ"] {
        let said = word(answer, name).unwrap_or_default().to_ascii_lowercase();
        match said.as_str() {
            "refresh_token" | "refresh" | "offline" => return Some(TokenKind::RefreshToken),
            "id_token" | "id" => kind = None,
            _ => {}
        }
    }
    kind
}

/// A string that nothing depends on: anything else is as good as none.
fn word<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.get(name)?.as_str()
}

/// Words with spaces between (RFC 7662 §2.2), or a list of words, as some servers write them.
fn scope(answer: &Answer) -> Option<Scope> {
    let words = match answer.get("scope")? {
        Value::String(words) => words.clone(),
        Value::Array(words) => {
            let words = words.iter().filter_map(Value::as_str);
            words.collect::<Vec<_>>().join(" ")
        }
        _ => return None,
    };
    Some(words)
        .filter(|words| !words.is_empty())
        .map(Scope::new)
}

fn opaque(token: &Secret) -> Selector {
    Selector::opaque_token(Sha256::digest(token.expose()).into())
}

/// Whether nobody but the one with exactly these octets has this token.
///
/// A JWT can be encoded anew, and is the same token; so can all that has its looks, and a token
/// with octets that none may have in HTTP (RFC 6750 §2.1), which a server may well strip off, unless
/// it is known to take them as they are.
fn has_one_spelling(token: &str, any_visible: bool) -> bool {
    let of_http = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet);
    let is_taken = |octet: u8| of_http(octet) || any_visible && octet.is_ascii_graphic();
    let dots = token.bytes().filter(|octet| *octet == b'.').count();
    dots < 2 && token.trim_end_matches('=').bytes().all(is_taken)
}

/// A string, if there is one with something in it. `null` is none.
fn text(answer: &Answer, name: &str) -> Reading<Option<String>> {
    match answer.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(UpstreamError::malformed("a member is no string")),
    }
}

/// One name or a list of them (RFC 7519 §4.1.3).
fn audience_of(answer: &Answer) -> Reading<Vec<String>> {
    match answer.get("aud") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or(UpstreamError::malformed("`aud` has what is no string")),
        Some(_) => Err(UpstreamError::malformed("`aud` is no string and no list")),
    }
}

/// A moment. Of a fraction only the whole second counts: then a watermark covers what was issued in
/// its own second, and nothing lives longer than it may.
fn date(answer: &Answer, name: &str) -> Reading<Option<NumericDate>> {
    match answer.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => numeric_date(value)
            .map(|date| Some(NumericDate::new(date.as_secs())))
            .ok_or(UpstreamError::malformed("a member is no date")),
    }
}

fn confirmation(answer: &Answer) -> Reading<Confirmation> {
    let members = match answer.get("cnf") {
        None | Some(Value::Null) => return Ok(Confirmation::default()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(UpstreamError::malformed("`cnf` is no object")),
    };
    let thumbprint = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok())
            .map(Some)
            .ok_or(UpstreamError::malformed("`cnf` has what is no thumbprint")),
    };
    let confirmation = Confirmation {
        jkt: thumbprint("jkt")?,
        x5t_s256: thumbprint("x5t#S256")?,
    };
    // A binding that is not understood must not become none.
    if confirmation == Confirmation::default() {
        return Err(UpstreamError::malformed("`cnf` has no known thumbprint"));
    }
    Ok(confirmation)
}
