//! Connect2id server.

use std::future::ready;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Response, header::HeaderName};
use serde_json::json;

use super::{Answer, Call, Profile, ProfileRequest};
use crate::{
    error::{Error, ErrorKind},
    revoke::{Cascade, RevocationOptions},
};

#[doc = include_str!("connect2id.md")]
#[derive(Clone, Debug, Default)]
#[must_use = "a profile does nothing until a layer uses it"]
pub struct Connect2id {
    tenants: Vec<Tenant>,
}

#[derive(Clone, Debug)]
struct Tenant {
    id: String,
    issuer: String,
}

impl Connect2id {
    /// The profile of a server without tenants. A request that names one is 400.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tenant, by its identifier and its issuer. The tokens of the tenant have the issuer as
    /// their [tenant](crate::introspect::Claims::tenant), as
    /// [`ByIssuer`](crate::introspect::ByIssuer) sets it.
    ///
    /// With more than one, a request has to name its tenant. **Names are compared byte for byte.**
    pub fn tenant(mut self, id: impl Into<String>, issuer: impl Into<String>) -> Self {
        self.tenants.push(Tenant {
            id: id.into(),
            issuer: issuer.into(),
        });
        self
    }

    /// The tenant that a request is about, if the server has tenants. The inner error is for clients
    /// that are authenticated.
    fn tenant_of(&self, headers: &HeaderMap) -> Result<Result<Option<&Tenant>, Error>, Error> {
        let refused = Error::invalid_request;
        let id = one(headers, TENANT_ID)?;
        let issuer = one(headers, ISSUER)?;
        let mut named = self.tenants.iter().filter(|tenant| {
            id.is_none_or(|id| tenant.id == id)
                && issuer.is_none_or(|issuer| tenant.issuer == issuer)
        });
        let is_named = id.is_some() || issuer.is_some();
        Ok(match (named.next(), named.next()) {
            (Some(tenant), None) => Ok(Some(tenant)),
            (None, _) if !is_named => Ok(None),
            (None, _) => Err(refused("There is no such tenant")),
            (Some(_), Some(_)) => Err(refused("The request does not name its tenant")),
        })
    }
}

const TENANT_ID: HeaderName = HeaderName::from_static("tenant-id");
const ISSUER: HeaderName = HeaderName::from_static("issuer");

/// The value of a field, which must not be repeated.
fn one(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Error> {
    let mut fields = headers.get_all(name).iter();
    let field = fields.next().map(|field| field.to_str());
    match (field.transpose(), fields.next()) {
        (Ok(field), None) => Ok(field),
        _ => Err(Error::invalid_request(
            "A field that names the tenant is repeated or unreadable",
        )),
    }
}

impl Profile for Connect2id {
    type State = ();

    async fn call(&self, request: ProfileRequest, (): &mut ()) -> Result<Call, Error> {
        let options = RevocationOptions::new().cascade(Cascade::SubjectAndClient);
        // Nobody finds out which tenants there are before the authentication.
        let of_tenant = self.tenant_of(&request.head.headers)?.map(|tenant| {
            let options = RevocationOptions::new();
            tenant.map_or(options.clone(), |tenant| options.tenant(&*tenant.issuer))
        });
        let call = request.revoke_form()?.options(options);
        Ok(match of_tenant {
            Ok(options) if options == RevocationOptions::new() => call,
            of_tenant => call.after_authentication(ready(of_tenant)),
        })
    }

    fn response(&self, answer: Answer, (): ()) -> Response<Full<Bytes>> {
        if !answer.is(ErrorKind::InvalidClient) {
            return answer.into_response();
        }
        let id = random_id();
        if let Err(error) = answer.result() {
            observe_refusal(&id, error);
        }
        let body = json!({
            "error": "invalid_client",
            "error_description":
                "Invalid client: The client is unknown, or its authentication is missing, wrong or expired",
            "client_auth_id": id,
        });
        answer.body("application/json", body.to_string())
    }
}

fn random_id() -> String {
    let mut id = [0; 16];
    // Without random numbers the event cannot be found by its identifier. Nothing else depends on it.
    let _ = getrandom::fill(&mut id);
    URL_SAFE_NO_PAD.encode(id)
}

/// The event that a person who was told the identifier is looking for.
fn observe_refusal(id: &str, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: crate::observe::TARGET,
        client_auth_id = id,
        reason = error.refusal().map(crate::refusal::Refusal::as_str),
        "client authentication failed"
    );
    let _ = (id, error);
}
