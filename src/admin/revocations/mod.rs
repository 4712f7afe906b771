//! `POST /v1/revocations`.

mod order;

use hyper::{Response, StatusCode, body::Body, http::request::Parts};
use tower::{BoxError, Service, ServiceExt as _};

use self::order::Ordered;
use super::{
    AdminBody, Caller, Receipt, RevocationOrder, Role,
    inspect::introspected,
    problem::Refusal,
    request,
    response::{RETRY_AFTER, json, unavailable},
    service::Shared,
};
use crate::{introspect::Introspected, log::RevocationLog, revoke::AdminRequest, token::Secret};

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
        let order: RevocationOrder = request::document(&head.headers, body).await?;
        let mut linked = None;
        let requests = match order::target(&order, &self.tenants)? {
            Ordered::Target(target) => {
                vec![order::named(&order, target, &self.tenants, caller)?]
            }
            Ordered::Token(secret) => {
                // Whether a token is genuine is not for viewers.
                caller.needs(Role::Operator)?;
                let token = introspected(introspect.clone(), secret.clone()).await?;
                let token = token.into_token().ok_or(order::FOREIGN_TOKEN)?;
                let requests = order::of_token(&order, &token, &self.tenants, caller)?;
                linked = token.issued_with.clone().map(|with| (secret, with));
                requests
            }
        };
        if is_dry_run {
            let dry_run = order::dry_run(&requests, &self.index, caller);
            let dry_run = dry_run.ok_or(Refusal::Unprocessable(UNNAMED))?;
            return Ok(json(StatusCode::OK, &dry_run));
        }
        for request in &requests {
            caller.needs(order::role(&request.target))?;
        }
        let receipt = self.carry_out(requests).await?;
        let mut receipt = receipt.ok_or(Refusal::Unprocessable(UNNAMED))?;
        if let Some((secret, with)) = linked {
            // Another token may have been issued before the records. From now on there is none.
            let again = introspected(introspect, secret).await?.into_token();
            // The records are durable. What was issued meanwhile is unknown, so the order is repeated.
            let again = again.ok_or(Refusal::Unavailable(RETRY_AFTER))?;
            if again.issued_with.as_ref() != Some(&with) {
                let requests = order::of_token(&order, &again, &self.tenants, caller)?;
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
            let next = order::receipt(class, &response);
            receipt = Some(match receipt {
                Some(first) => first.until(&next),
                None => next,
            });
        }
        Ok(receipt)
    }
}

const UNNAMED: &str = "no record can name the token alone";
