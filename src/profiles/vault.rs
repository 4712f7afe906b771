//! Vault, whose tokens are trees.

use std::fmt;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{AUTHORIZATION, Entry, HeaderName},
};
use serde_json::json;
use tower::{BoxError, Service, ServiceExt as _, util::BoxCloneSyncService};

use super::{
    Answer, Call, Parameters, Profile, ProfileRequest,
    holder::{Holders, refused},
    possession,
};
use crate::{
    enforce::Index,
    error::{Error, ErrorKind},
    introspect::{Introspected, Introspection},
    log::{LogError, RevocationLog, SelectorClass},
    revoke::{
        AdminRequest, AdminResponse, Administration, Cascade, Handles, RevocationOptions, Target,
    },
    token::{Outcome, Secret},
};

#[doc = include_str!("vault.md")]
#[derive(Clone)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Vault {
    holders: Holders,
    accessors: Option<Accessors>,
}

#[derive(Clone)]
struct Accessors {
    handles: Handles,
    administration: BoxCloneSyncService<AdminRequest, AdminResponse, LogError>,
}

/// A call below the path of the profile.
#[derive(Clone, Copy)]
enum Operation {
    Token,
    Itself,
    Orphan,
    Accessor,
}

impl Vault {
    /// The profile. `introspect` is the introspection of the backend, and `index` the index that
    /// enforcement checks: a token that was revoked can revoke nothing.
    pub fn new<I>(introspect: I, index: Index) -> Self
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
        I::Error: Into<BoxError>,
        I::Future: Send + 'static,
    {
        Self {
            holders: Holders::new(introspect, index),
            accessors: None,
        }
    }

    /// Accepts accessors: [handles](Handles) of a token's grant, whose owner is the grant of the token
    /// that may revoke it, both within the tenant of the tokens. Without it, a call with an accessor is 400.
    pub fn accessors<L>(mut self, handles: Handles, administration: Administration<L>) -> Self
    where
        L: RevocationLog + Clone + Send + Sync + 'static,
    {
        self.accessors = Some(Accessors {
            handles,
            administration: BoxCloneSyncService::new(administration),
        });
        self
    }

    /// The token that sends the request, if it is live.
    async fn caller(&self, headers: &HeaderMap) -> Result<(Secret, Introspection), Error> {
        let secret = presented(headers).ok_or_else(refused)?;
        let token = self.holders.live(secret.clone()).await?;
        Ok((secret, token))
    }

    async fn revoke_accessor(
        &self,
        caller: &Introspection,
        mut parameters: Parameters,
    ) -> Result<Call, Error> {
        let unsupported = || Error::invalid_request("accessors are not known here");
        let accessors = self.accessors.as_ref().ok_or_else(unsupported)?;
        let accessor = parameters.take("accessor")?;
        let accessor = accessor.ok_or_else(|| Error::invalid_request("missing accessor"))?;
        caller.grant.as_ref().ok_or_else(refused)?;
        // With its tenant.
        let owner = caller.selectors_of(SelectorClass::Grant).next();
        let owner = owner.ok_or_else(refused)?;
        let selector = accessors.handles.open(accessor.expose(), &owner);
        let selector = selector.ok_or_else(|| Error::invalid_request("invalid accessor"))?;
        let request = AdminRequest::new(Target::Selected(selector)).actor(&caller.client_id);
        let done = accessors.administration.clone().oneshot(request).await;
        done.map_err(|error| Error::from_service(error.into()))?;
        Ok(Call::done(Outcome::Revoked))
    }
}

impl Operation {
    fn of(rest: &str) -> Option<Self> {
        match rest {
            "/revoke" => Some(Self::Token),
            "/revoke-self" => Some(Self::Itself),
            "/revoke-orphan" => Some(Self::Orphan),
            "/revoke-accessor" => Some(Self::Accessor),
            _ => None,
        }
    }
}

impl Profile for Vault {
    type State = ();

    fn methods(&self, rest: &str) -> &'static [Method] {
        const WRITE: &[Method] = &[Method::POST, Method::PUT];
        match Operation::of(rest) {
            Some(_) => WRITE,
            None => &[],
        }
    }

    async fn call(&self, mut request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let operation = Operation::of(&request.rest);
        let operation = operation.ok_or_else(|| Error::new(ErrorKind::InvalidRequest))?;
        mark_sensitive(&mut request.head.headers);
        let (own, caller) = self.caller(&request.head.headers).await?;
        let mut parameters = match operation {
            Operation::Itself => Parameters::default(),
            _ => request.json_of_any_type()?,
        };
        let cascade = match operation {
            Operation::Accessor => return self.revoke_accessor(&caller, parameters).await,
            Operation::Itself => {
                parameters.insert("token", own)?;
                // The session of a token is not its tree. It may be that of a person, with other apps.
                Cascade::GrantOnly
            }
            Operation::Orphan => Cascade::Token,
            Operation::Token => Cascade::GrantOnly,
        };
        if !parameters.has("token") {
            return Err(Error::invalid_request("missing token ID"));
        }
        let options = RevocationOptions::new()
            .cascade(cascade)
            .at_or_below(caller);
        possession::revoke(request, &parameters, options)
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        let Err(error) = answer.result() else {
            return answer.status(StatusCode::NO_CONTENT).empty();
        };
        let (status, message) = match error.kind() {
            ErrorKind::InvalidClient | ErrorKind::InvalidGrant => {
                (StatusCode::FORBIDDEN, "permission denied")
            }
            ErrorKind::InvalidRequest => (
                StatusCode::BAD_REQUEST,
                error.error_description().unwrap_or("invalid request"),
            ),
            ErrorKind::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "it could not be found out or stored; try again",
            ),
            ErrorKind::UnsupportedTokenType => {
                (StatusCode::BAD_REQUEST, "the token cannot be revoked here")
            }
            ErrorKind::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "unsupported operation")
            }
            ErrorKind::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the request is too large"),
            ErrorKind::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests; try again later",
            ),
            ErrorKind::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
            _ => (StatusCode::BAD_REQUEST, "invalid request"),
        };
        let body = json!({ "errors": [message] }).to_string();
        answer.status(status).body("application/json", body)
    }
}

const X_VAULT_TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// Keeps the token out of `Debug` outputs.
fn mark_sensitive(headers: &mut HeaderMap) {
    for name in [X_VAULT_TOKEN, AUTHORIZATION] {
        if let Entry::Occupied(mut field) = headers.entry(name) {
            field.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
}

/// The token in `X-Vault-Token`, or in `Authorization: Bearer`.
fn presented(headers: &HeaderMap) -> Option<Secret> {
    let vault: Vec<_> = headers.get_all(X_VAULT_TOKEN).iter().collect();
    let bearer: Vec<_> = headers.get_all(AUTHORIZATION).iter().collect();
    let token = match (&*vault, &*bearer) {
        ([token], []) => token.to_str().ok()?,
        ([], [field]) => {
            let (scheme, token) = field.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)?
        }
        _ => return None,
    };
    (!token.is_empty()).then(|| Secret::from(token))
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("accessors", &self.accessors.is_some())
            .finish_non_exhaustive()
    }
}
