//! `POST /v1/revocations:bulk`.

use std::time::Instant;

use hyper::{Response, StatusCode, body::Body, http::request::Parts};
use tower::{BoxError, Service};

use super::{
    super::{
        AdminBody, BulkOrder, BulkResult, BulkResults, Caller, DryRun, Receipt, RevocationOrder,
        observe, problem::Refusal, request, response::json, service::Shared,
    },
    carry_out::some_at_once,
};
use crate::{introspect::Introspected, log::RevocationLog, token::Secret};

/// The limit for a body.
const MAX_BODY: usize = 1024 * 1024;
/// The limit for the orders in it.
const MAX_ORDERS: usize = 1000;

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    pub(in super::super) async fn revoke_many<I, B>(
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
        let BulkOrder { orders } = request::parse(&body)?;
        if orders.len() > MAX_ORDERS {
            return Err(Refusal::BadRequest("a bulk order has at most 1000 orders"));
        }
        // Each order counts as a request.
        let more = u32::try_from(orders.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.pace.take_more(caller, more, Instant::now())?;
        let results = if is_dry_run {
            self.dry_run_many(introspect, caller, orders).await
        } else {
            let repetition = self.repetition(&head.headers, caller, head.uri.path(), &body)?;
            let results = self.carry_out(introspect, caller, orders, repetition.as_ref());
            let results = results.await?;
            for refusal in results.iter().filter_map(|result| result.as_ref().err()) {
                observe::refused(refusal, Some(caller.name()));
            }
            results.into_iter().map(BulkResult::done).collect()
        };
        Ok(json(StatusCode::OK, &BulkResults { results }))
    }

    async fn dry_run_many<I>(
        &self,
        introspect: I,
        caller: &Caller,
        orders: Vec<RevocationOrder>,
    ) -> Vec<BulkResult>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
    {
        let dry_runs = orders.into_iter();
        let dry_runs = dry_runs.map(|order| self.dry_run_one(introspect.clone(), caller, order));
        some_at_once(dry_runs.collect()).await
    }

    async fn dry_run_one<I>(
        &self,
        introspect: I,
        caller: &Caller,
        order: RevocationOrder,
    ) -> BulkResult
    where
        I: Service<Secret, Response: Into<Introspected>>,
        I::Error: Into<BoxError>,
    {
        let plan = self.plan(introspect, caller, &order).await;
        BulkResult::dry_run(plan.and_then(|plan| self.dry_run(&plan, caller)))
    }
}

impl BulkResult {
    fn done(result: Result<Receipt, Refusal>) -> Self {
        match result {
            Ok(receipt) => Self {
                receipt: Some(receipt),
                ..Self::new(StatusCode::CREATED)
            },
            Err(refusal) => Self::refused(&refusal),
        }
    }

    fn dry_run(result: Result<DryRun, Refusal>) -> Self {
        match result {
            Ok(dry_run) => Self {
                dry_run: Some(dry_run),
                ..Self::new(StatusCode::OK)
            },
            Err(refusal) => Self::refused(&refusal),
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        Self {
            problem: Some(refusal.problem()),
            ..Self::new(refusal.status())
        }
    }

    fn new(status: StatusCode) -> Self {
        Self {
            status: status.as_u16(),
            receipt: None,
            dry_run: None,
            problem: None,
        }
    }
}
