//! What a response says about a token (RFC 7662 §2.2).

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

/// How long after its `exp` a token may still be reported as active: clocks differ.
const LEEWAY: Duration = Duration::from_secs(60);

type Object = Map<String, Value>;
type Read<T> = Result<T, UpstreamError>;

/// A response that was read.
pub(super) struct Response {
    pub(super) introspected: Introspected,
    /// Whether it is short enough to be cached.
    pub(super) is_cacheable: bool,
}

/// Which members of a response are read, and how.
#[derive(Clone)]
pub(super) struct ClaimNames {
    pub(super) client: String,
    pub(super) grant: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) audience: Option<Audience>,
    pub(super) longest_lifetime: Option<Duration>,
    pub(super) any_visible_token: bool,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            client: "client_id".to_owned(),
            grant: None,
            tenant: None,
            audience: None,
            longest_lifetime: None,
            any_visible_token: false,
        }
    }
}

impl ClaimNames {
    /// Reads the response about this token. Unknown members are kept as JSON.
    pub(super) fn read(&self, token: &Secret, json: &[u8]) -> Read<Introspected> {
        let malformed = || UpstreamError::malformed("the response is not one JSON object");
        let response = Members::parse(json).map_err(|_| malformed())?;
        let mut introspected = self.interpret(token, response.as_map())?;
        if let Introspected::Token(token) = &mut introspected {
            let json = std::str::from_utf8(json).map_err(|_| malformed())?;
            token.set_parsed_json(json.to_owned());
        }
        Ok(introspected)
    }

    /// Reads the members of a response that came in a JWT.
    pub(super) fn read_members(&self, token: &Secret, response: &Object) -> Read<Introspected> {
        let mut introspected = self.interpret(token, response)?;
        if let Introspected::Token(token) = &mut introspected {
            let json = serde_json::to_string(response)
                .map_err(|_| UpstreamError::malformed("the response cannot be written as JSON"))?;
            token.set_parsed_json(json);
        }
        Ok(introspected)
    }

    fn interpret(&self, token: &Secret, response: &Object) -> Read<Introspected> {
        match response.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Ok(None.into()),
            _ => return Err(UpstreamError::malformed("`active` is not a boolean")),
        }
        let iat = date(response, "iat")?;
        let stated = exp(response)?;
        let latest = iat.zip(self.longest_lifetime);
        let latest = latest.map(|(iat, lifetime)| iat + lifetime);
        let exp = stated.into_iter().chain(latest).min();
        let unhandled = |reason| Ok(Introspected::Unhandled { reason, exp });
        let Some(kind) = kind(response) else {
            return unhandled(Reason::Typ);
        };
        let aud = match &self.audience {
            Some(audience) => {
                let aud = audience_of(response)?;
                if !audience.admits(&aud) {
                    return unhandled(Reason::Audience);
                }
                aud
            }
            None => audience_of(response).unwrap_or_default(),
        };
        let client_id = text(response, &self.client)?.ok_or(UpstreamError::new(
            UpstreamErrorKind::Unowned,
            "the response does not name the client",
        ))?;

        let mut known = Introspection::new(kind, client_id);
        known.tenant.clone_from(&self.tenant);
        known.iss = text(response, "iss")?;
        known.sub = text(response, "sub")?;
        known.aud = aud;
        known.jti = text(response, "jti")?;
        known.sid = text(response, "sid")?;
        known.scope = scope(response);
        known.cnf = confirmation(response)?;
        known.iat = iat;
        known.nbf = date(response, "nbf")?;
        known.exp = stated;
        known.limit(latest);
        if stated.is_some_and(|exp| exp + LEEWAY < NumericDate::now()) {
            return Err(UpstreamError::malformed(
                "the token is active, but its `exp` has passed",
            ));
        }
        known.token_type = word(response, "token_type").and_then(TokenType::from_name);
        if let Some(name) = &self.grant {
            known.grant = text(response, name)?;
        }
        known.token = match (&known.iss, &known.jti) {
            (Some(iss), Some(jti)) => Some(Selector::token(iss, jti)),
            _ if has_one_spelling(token.expose(), self.any_visible_token) => Some(opaque(token)),
            _ => None,
        };
        Ok(Introspected::Token(known))
    }
}

/// When the token expires by its own `exp`.
fn exp(response: &Object) -> Read<Option<NumericDate>> {
    let exp = match response.get("exp") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let exp = expiry(value).ok_or(UpstreamError::malformed("`exp` is not a date"))?;
            Some(NumericDate::new(exp.as_secs()))
        }
    };
    Ok(exp.filter(|exp| exp.seconds() > 0 && *exp < NumericDate::FOREVER))
}

/// What the token is used as. `None` if the response says that it is an ID token.
///
/// RFC 7662 §2.2 has no member for this, so the values that known servers use are looked for in
/// every place where they use them. `token_type` alone is not enough: with some servers it is
/// `Bearer` for refresh tokens too.
fn kind(response: &Object) -> Option<TokenKind> {
    let mut kind = Some(TokenKind::AccessToken);
    for name in ["token_type", "token_use", "typ"] {
        let value = word(response, name)
            .unwrap_or_default()
            .to_ascii_lowercase();
        match value.as_str() {
            "refresh_token" | "refresh" | "offline" => return Some(TokenKind::RefreshToken),
            "id_token" | "id" => kind = None,
            _ => {}
        }
    }
    kind
}

/// A string on which no check depends. A value of another type is ignored.
fn word<'a>(response: &'a Object, name: &str) -> Option<&'a str> {
    response.get(name)?.as_str()
}

/// Words separated by spaces (RFC 7662 §2.2), or an array of words, as some servers write them.
///
/// An element with a space is not a word and is ignored. Joined with the others, it would count as
/// several scopes, which the server did not grant.
fn scope(response: &Object) -> Option<Scope> {
    let words = match response.get("scope")? {
        Value::String(words) => words.clone(),
        Value::Array(words) => {
            let words = words.iter().filter_map(Value::as_str);
            let words = words.filter(|word| !word.is_empty() && !word.contains(' '));
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

/// Whether no other sequence of bytes is the same token to the other server.
///
/// A JWT can be encoded differently and stays the same token, so anything that looks like a JWT is
/// excluded. So is a token with bytes that RFC 6750 §2.1 does not allow: the server may strip them,
/// unless it is known to take them as they are.
fn has_one_spelling(token: &str, any_visible: bool) -> bool {
    let is_token_char = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let is_allowed = |byte: u8| is_token_char(byte) || any_visible && byte.is_ascii_graphic();
    let dots = token.bytes().filter(|byte| *byte == b'.').count();
    dots < 2 && token.trim_end_matches('=').bytes().all(is_allowed)
}

/// A string. A member that is missing, `null` or empty is `None`.
fn text(response: &Object, name: &str) -> Read<Option<String>> {
    match response.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(UpstreamError::malformed("a member is not a string")),
    }
}

/// One name or an array of names (RFC 7519 §4.1.3).
fn audience_of(response: &Object) -> Read<Vec<String>> {
    match response.get("aud") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or(UpstreamError::malformed(
                "an element of `aud` is not a string",
            )),
        Some(_) => Err(UpstreamError::malformed(
            "`aud` is neither a string nor an array",
        )),
    }
}

/// A date. The fraction of a second is dropped: then a watermark covers the tokens that were issued
/// in its own second, and no token lives longer than it may.
fn date(response: &Object, name: &str) -> Read<Option<NumericDate>> {
    match response.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => numeric_date(value)
            .map(|date| Some(NumericDate::new(date.as_secs())))
            .ok_or(UpstreamError::malformed("a member is not a date")),
    }
}

fn confirmation(response: &Object) -> Read<Confirmation> {
    let cnf = match response.get("cnf") {
        None | Some(Value::Null) => return Ok(Confirmation::default()),
        Some(Value::Object(cnf)) => cnf,
        Some(_) => return Err(UpstreamError::malformed("`cnf` is not an object")),
    };
    let thumbprint = |name: &str| match cnf.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok())
            .map(Some)
            .ok_or(UpstreamError::malformed("`cnf` has an invalid thumbprint")),
    };
    let confirmation = Confirmation {
        jkt: thumbprint("jkt")?,
        x5t_s256: thumbprint("x5t#S256")?,
    };
    // A binding that is not understood must not be ignored.
    if confirmation == Confirmation::default() {
        return Err(UpstreamError::malformed("`cnf` has no known thumbprint"));
    }
    Ok(confirmation)
}
