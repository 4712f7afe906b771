//! Kustvakt, the API server of a corpus platform.

use std::fmt;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Method, Response, header::AUTHORIZATION};
use tower::{BoxError, Service};

use super::{
    Answer, Call, Parameters, Profile, ProfileRequest,
    holder::{Holders, refused},
    profile::POST,
};
use crate::{
    enforce::Index, error::Error, introspect::Introspected, revoke::RevocationOptions,
    token::Secret,
};

#[doc = include_str!("kustvakt.md")]
#[derive(Clone)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Kustvakt {
    has_success_body: bool,
    super_clients: Option<SuperClients>,
}

/// Clients that revoke the tokens that other clients hold for a user, if the user asks them to.
#[derive(Clone)]
struct SuperClients {
    names: Vec<String>,
    holders: Holders,
}

impl Kustvakt {
    /// The profile with its success body.
    pub fn new() -> Self {
        Self {
            has_success_body: true,
            super_clients: None,
        }
    }

    /// Lets these clients revoke the tokens of other clients, by the call `/super` below the path. The client
    /// must be confidential. The user authenticates by a live access token of her own, and only her tokens
    /// can be revoked. Defaults to none: there is no such call.
    ///
    /// `introspect` is the introspection of the backend, and `index` the index that enforcement checks.
    pub fn super_clients<N, I>(mut self, names: N, introspect: I, index: Index) -> Self
    where
        N: IntoIterator<Item: Into<String>>,
        I: Service<Secret, Response: Into<Introspected>> + Clone + Send + Sync + 'static,
        I::Error: Into<BoxError>,
        I::Future: Send + 'static,
    {
        self.super_clients = Some(SuperClients {
            names: names.into_iter().map(Into::into).collect(),
            holders: Holders::new(introspect, index),
        });
        self
    }

    /// Sets whether the body of a success is `SUCCESS`. Defaults to `true`. With `false` it is empty.
    pub fn success_body(mut self, has_success_body: bool) -> Self {
        self.has_success_body = has_success_body;
        self
    }
}

impl SuperClients {
    fn call(&self, mut request: ProfileRequest, mut parameters: Parameters) -> Result<Call, Error> {
        for name in ["client_id", "client_secret"] {
            if parameters.has(name) {
                return Err(Error::invalid_request("There are two clients"));
            }
            parameters.rename(&format!("super_{name}"), name)?;
        }
        let name = parameters.value("client_id")?;
        let is_one = name.is_some_and(|name| self.names.iter().any(|it| it == name.expose()));
        if !is_one {
            return Err(refused());
        }
        let user = take_user(&mut request.head.headers)?;
        let holders = self.holders.clone();
        // Nobody finds out whether a token is live before the client has proved its identity.
        let of_user = async move {
            let user = holders.live(user).await?;
            let subject = user.sub.as_deref().ok_or_else(refused)?;
            let options = RevocationOptions::new()
                .by_possession(true)
                .subject(subject);
            Ok(match user.tenant.as_deref() {
                Some(tenant) => options.tenant(tenant),
                None => options,
            })
        };
        let options = RevocationOptions::new().refuse_public_clients(true);
        let call = request.revoke(parameters).options(options);
        Ok(call.after_authentication(of_user))
    }
}

/// Takes the token of the user. The endpoint does not read it.
fn take_user(headers: &mut HeaderMap) -> Result<Secret, Error> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (field, other) = (fields.next(), fields.next());
    if other.is_some() {
        return Err(Error::invalid_request(
            "The request has more than one Authorization field",
        ));
    }
    let bearer = field.and_then(|field| field.to_str().ok()?.split_once(' '));
    let user = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let user = user.map(|(_, token)| Secret::from(token));
    headers.remove(AUTHORIZATION);
    user.ok_or_else(refused)
}

impl Default for Kustvakt {
    fn default() -> Self {
        Self::new()
    }
}

impl Profile for Kustvakt {
    type State = ();

    fn methods(&self, rest: &str) -> &'static [Method] {
        match rest {
            "" => POST,
            SUPER if self.super_clients.is_some() => POST,
            _ => &[],
        }
    }

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let mut parameters = request.form()?;
        parameters.rename("token_type", "token_type_hint")?;
        match &self.super_clients {
            Some(clients) if request.rest == SUPER => clients.call(request, parameters),
            _ => Ok(request.revoke(parameters)),
        }
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        match answer.result() {
            Ok(_) if self.has_success_body => {
                answer.body("application/json;charset=utf-8", "SUCCESS")
            }
            Ok(_) => answer.empty(),
            _ => answer.into_response(),
        }
    }
}

/// The path of the call of super clients, below that of the profile.
const SUPER: &str = "/super";

impl fmt::Debug for Kustvakt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.super_clients.as_ref().map(|clients| &clients.names);
        f.debug_struct("Kustvakt")
            .field("success_body", &self.has_success_body)
            .field("super_clients", &names)
            .finish()
    }
}
