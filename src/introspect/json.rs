//! The claims of a token as JSON, and as a type of your own.

use std::{error::Error, fmt};

use serde::Deserialize;

use super::Claims;
use crate::jose::Members;

/// The JSON object with the claims of a token, as its issuer wrote it, if it is kept.
#[derive(Clone, Default)]
pub(super) struct ClaimsJson(Option<String>);

impl Claims {
    /// Reads the claims of the token into a type of your own, with serde: custom claims, and
    /// standard ones that have no field here.
    ///
    /// `JwtTokens` keeps the payload of the JWT, and `Upstream` the response of the other server.
    /// Nothing is parsed a second time before this is called. A token without JSON, such as one of
    /// your own table, reads like an empty object: see [`set_json`](Self::set_json).
    ///
    /// The claims have the same source as the fields of this type, and were verified with them. The
    /// type decides which claims must be there. Unknown ones are ignored, unless the type has
    /// `#[serde(deny_unknown_fields)]`.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use tower_revocation::introspect::{Introspection, TokenKind};
    ///
    /// #[derive(Deserialize)]
    /// struct Employee {
    ///     email: String,
    ///     #[serde(default)]
    ///     roles: Vec<String>,
    /// }
    ///
    /// let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    /// token.set_json(r#"{ "sub": "alice", "email": "alice@example.com" }"#)?;
    /// let employee: Employee = token.claims_as()?;
    /// assert_eq!(employee.email, "alice@example.com");
    /// assert!(employee.roles.is_empty());
    /// # Ok::<_, tower_revocation::introspect::ClaimsError>(())
    /// ```
    ///
    /// As an extractor of axum, behind an
    /// [`EnforcementLayer`](crate::enforce::EnforcementLayer):
    ///
    /// ```
    /// use axum::extract::FromRequestParts;
    /// use hyper::{StatusCode, http::request::Parts};
    /// use serde::Deserialize;
    /// use tower_revocation::introspect::Introspection;
    ///
    /// #[derive(Deserialize)]
    /// struct Employee {
    ///     email: String,
    /// }
    ///
    /// impl<S: Sync> FromRequestParts<S> for Employee {
    ///     type Rejection = StatusCode;
    ///
    ///     async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
    ///         let token = parts.extensions.get::<Introspection>();
    ///         let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
    ///         // The token is valid, but it is not the token of an employee.
    ///         token.claims_as().map_err(|_| StatusCode::FORBIDDEN)
    ///     }
    /// }
    ///
    /// async fn greet(employee: Employee) -> String {
    ///     format!("Hello {}!", employee.email)
    /// }
    ///
    /// let router: axum::Router = axum::Router::new().route("/", axum::routing::get(greet));
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the claims do not have the form of the type: a claim is missing, or has another
    /// type.
    pub fn claims_as<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ClaimsError> {
        serde_json::from_str(self.json().unwrap_or("{}")).map_err(|error| ClaimsError {
            detail: error.to_string().into(),
        })
    }

    /// The JSON object with the claims of the token, if the introspection keeps it.
    ///
    /// It is the payload of a JWT, or the response of another server. It has no member twice, and
    /// its length is limited: it is shorter than the token that
    /// [`JwtTokens::max_size`](super::jwt::JwtTokens::max_size) allows, and a response has at most
    /// 64 KiB.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        self.json.0.as_deref()
    }

    /// The memory of the JSON object, in bytes.
    pub(super) fn json_capacity(&self) -> usize {
        self.json.0.as_ref().map_or(0, String::capacity)
    }

    /// Sets the JSON object that [`claims_as`](Self::claims_as) reads, for introspections of your
    /// own and for tests. The fields of this type do not change.
    ///
    /// # Errors
    ///
    /// Fails if the text is not one JSON object, if a member occurs twice at any depth, if it is
    /// nested more than 16 deep, or if a number is beyond the range of a double.
    pub fn set_json(&mut self, json: impl Into<String>) -> Result<(), ClaimsError> {
        let json = json.into();
        Members::parse(json.as_bytes()).map_err(|_| ClaimsError {
            detail: "not one JSON object without repeated members".into(),
        })?;
        self.json = ClaimsJson(Some(json));
        Ok(())
    }

    /// The same, for an object that was read and found to be strict.
    pub(super) fn set_parsed_json(&mut self, json: String) {
        self.json = ClaimsJson(Some(json));
    }
}

/// Claims may be personal data, so they are not printed.
impl fmt::Debug for ClaimsJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimsJson(..)")
    }
}

/// Ignored in comparisons: two spellings of one token differ in it, and in nothing else.
impl PartialEq for ClaimsJson {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ClaimsJson {}

/// The claims of a token do not have the form of a type.
///
/// Neither `Display` nor `Debug` shows any part of the token.
#[derive(Clone)]
pub struct ClaimsError {
    detail: Box<str>,
}

impl ClaimsError {
    /// The message of serde, such as ``missing field `email` ``.
    ///
    /// **It may quote a value from the token.** Use it while developing; do not log it or send it
    /// to peers.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Debug for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimsError").finish_non_exhaustive()
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the claims of the token do not have the expected form")
    }
}

impl Error for ClaimsError {}
