//! `POST /v1/revocations`.

mod bulk;
mod carry_out;
mod kept;
mod order;
mod plan;
mod repetition;
mod step;

use hyper::{
    Response, StatusCode,
    body::Body,
    header::{HeaderValue, LOCATION},
    http::request::Parts,
};
use tower::{BoxError, Service};

#[cfg(feature = "sightings")]
pub(super) use self::order::targets_of;
use super::{
    AdminBody, Caller, RevocationOrder,
    problem::Refusal,
    request::{self, MAX_BODY},
    response::{RETRY_AFTER, json},
    service::Shared,
};
use crate::{introspect::Introspected, log::RevocationLog, token::Secret};

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    pub(super) async fn revoke<I, B>(
        &self,
        introspect: I,
        caller: &Caller,
        head: &Parts,
        body: B,
    ) -> Result<Response<AdminBody>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let is_dry_run = request::is_dry_run(head.uri.query())?;
        let body = request::body(&head.headers, body, MAX_BODY).await?;
        let order: RevocationOrder = request::parse(&body)?;
        if is_dry_run {
            let plan = self.plan(introspect, caller, &order).await?;
            let dry_run = self.dry_run(&plan, caller)?;
            #[cfg(feature = "sightings")]
            let dry_run = self.counted(dry_run, &plan.requests).await?;
            return Ok(json(StatusCode::OK, &dry_run));
        }
        let repetition = self.repetition(&head.headers, caller, head.uri.path(), &body)?;
        let results = self
            .carry_out(introspect, caller, vec![order], repetition.as_ref())
            .await?;
        let unknown = Err(Refusal::Unavailable(RETRY_AFTER));
        let receipt = results.into_iter().next().unwrap_or(unknown)?;
        let mut response = json(StatusCode::CREATED, &receipt);
        if let Some(id) = &receipt.id {
            let location = HeaderValue::try_from(format!("/v1/revocations/{id}"));
            let location = location.map_err(|_| Refusal::Unavailable(RETRY_AFTER))?;
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }
}
