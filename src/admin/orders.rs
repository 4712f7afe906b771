//! How a request becomes a response: who may ask for what, and in which order it happens.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Body, http::request::Parts};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    Caller, InspectionOrder, Receipt, RevocationOrder, Role, inspect, observe,
    problem::Refusal,
    request::{self, no_query},
    response::{RETRY_AFTER, json, unavailable},
    revoke::{self, Ordered},
    service::Shared,
    status,
};
use crate::{introspect::Introspected, log::RevocationLog, revoke::AdminRequest, token::Secret};

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    /// Fails with what the caller is told instead.
    pub(super) async fn respond<I, B>(
        &self,
        introspect: I,
        request: Request<B>,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let hosts = self.access.is_remote().then_some(&*self.hosts);
        let checked = request::check_origin(&request, hosts);
        let caller = checked.and_then(|()| self.access.caller(request.headers()));
        let caller = caller.inspect_err(|refusal| observe::refused(refusal, None))?;
        let (head, body) = request.into_parts();
        let response = match (head.uri.path(), &head.method) {
            ("/v1/revocations", &Method::POST) => {
                self.revoke(introspect, &caller, &head, body).await
            }
            ("/v1/tokens:inspect", &Method::POST) => {
                self.inspect(introspect, &caller, &head, body).await
            }
            ("/v1/status", &Method::GET) => self.status(&caller, &head),
            ("/v1/revocations" | "/v1/tokens:inspect", _) => Err(Refusal::Method("POST")),
            ("/v1/status", _) => Err(Refusal::Method("GET")),
            _ => Err(Refusal::NotFound),
        };
        response.inspect_err(|refusal| observe::refused(refusal, Some(caller.name())))
    }

    async fn revoke<I, B>(
        &self,
        introspect: I,
        caller: &Caller,
        head: &Parts,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let is_dry_run = request::is_dry_run(head.uri.query())?;
        let order: RevocationOrder = request::document(&head.headers, body).await?;
        let mut linked = None;
        let requests = match revoke::target(&order, &self.tenants)? {
            Ordered::Target(target) => {
                vec![revoke::named(&order, target, &self.tenants, caller)?]
            }
            Ordered::Token(secret) => {
                // Whether a token is genuine is not for viewers.
                caller.needs(Role::Operator)?;
                let token = introspected(introspect.clone(), secret.clone()).await?;
                let token = token.into_token().ok_or(revoke::FOREIGN_TOKEN)?;
                let requests = revoke::of_token(&order, &token, &self.tenants, caller)?;
                linked = token.issued_with.clone().map(|with| (secret, with));
                requests
            }
        };
        if is_dry_run {
            let dry_run = revoke::dry_run(&requests, &self.index, caller);
            let dry_run = dry_run.ok_or(Refusal::Unprocessable(UNNAMED))?;
            return Ok(json(StatusCode::OK, &dry_run));
        }
        for request in &requests {
            caller.needs(revoke::role(&request.target))?;
        }
        let receipt = self.carry_out(requests).await?;
        let mut receipt = receipt.ok_or(Refusal::Unprocessable(UNNAMED))?;
        if let Some((secret, with)) = linked {
            // Another token may have been issued before the records. From now on there is none.
            let again = introspected(introspect, secret).await?.into_token();
            // The records are durable. What was issued meanwhile is unknown, so the order is repeated.
            let again = again.ok_or(Refusal::Unavailable(RETRY_AFTER))?;
            if again.issued_with.as_ref() != Some(&with) {
                let requests = revoke::of_token(&order, &again, &self.tenants, caller)?;
                let later = self.carry_out(requests).await?;
                if let Some(later) = later {
                    receipt = receipt.until(&later);
                }
            }
        }
        Ok(json(StatusCode::CREATED, &receipt))
    }

    /// The receipt is about the first of the requests, and the position about the last.
    async fn carry_out(&self, requests: Vec<AdminRequest>) -> Result<Option<Receipt>, Refusal> {
        let mut receipt: Option<Receipt> = None;
        for request in requests {
            let class = request.selector().class();
            let response = self.administration.clone().oneshot(request).await;
            let response = response.map_err(|error| unavailable(&error))?;
            let next = revoke::receipt(class, &response);
            receipt = Some(match receipt {
                Some(first) => first.until(&next),
                None => next,
            });
        }
        Ok(receipt)
    }

    async fn inspect<I, B>(
        &self,
        introspect: I,
        caller: &Caller,
        head: &Parts,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        caller.needs(Role::Operator)?;
        no_query(head)?;
        let InspectionOrder { token } = request::document(&head.headers, body).await?;
        let introspected = introspected(introspect, token).await?;
        let inspection = inspect::inspection(&introspected, &self.index);
        observe::inspected(caller.name(), &inspection.verdict);
        Ok(json(StatusCode::OK, &inspection))
    }

    fn status(&self, caller: &Caller, head: &Parts) -> Result<Response<Full<Bytes>>, Refusal> {
        caller.needs(Role::Viewer)?;
        no_query(head)?;
        let details = self.details.as_ref().map(|details| details());
        let health = self.administration.log().health();
        let status = status::status(&health, &self.index, details.unwrap_or_default());
        Ok(json(StatusCode::OK, &status))
    }
}

const UNNAMED: &str = "no record can name the token alone";

async fn introspected<I>(introspect: I, token: Secret) -> Result<Introspected, Refusal>
where
    I: Service<Secret, Response: Into<Introspected>>,
    I::Error: Into<BoxError>,
{
    let introspected = introspect.oneshot(token).await;
    let introspected = introspected.map_err(|error| unavailable(&*error.into()))?;
    Ok(introspected.into())
}
