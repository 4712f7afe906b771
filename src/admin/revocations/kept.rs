//! `GET /v1/revocations`, `GET /v1/revocations/{id}` and `GET /v1/revocations:export`.

use futures::stream::StreamExt as _;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};

use super::super::{
    AdminBody, Caller, Role,
    problem::Refusal,
    request::no_query,
    response::{json, protect, unavailable},
    service::Shared,
    trail::{PageQuery, Trail},
};

impl<L> Shared<L> {
    /// The orders that are kept, a page at a time.
    pub(in super::super) async fn orders(
        &self,
        caller: &Caller,
        head: &Parts,
    ) -> Result<Response<AdminBody>, Refusal> {
        caller.needs(Role::Viewer)?;
        let trail = self.kept()?;
        let query = PageQuery::parse(head.uri.query())?;
        let page = trail.page(&query).await;
        let page = page.map_err(|error| unavailable(&error))?;
        Ok(json(StatusCode::OK, &page))
    }

    /// One order that is kept.
    pub(in super::super) async fn order(
        &self,
        caller: &Caller,
        head: &Parts,
        id: &str,
    ) -> Result<Response<AdminBody>, Refusal> {
        caller.needs(Role::Viewer)?;
        let trail = self.kept()?;
        no_query(head)?;
        let order = trail.get(id).await.map_err(|error| unavailable(&error))?;
        let order = order.ok_or(Refusal::NotFound)?;
        Ok(json(StatusCode::OK, &order.into_shown()))
    }

    /// All orders that are kept.
    pub(in super::super) async fn export(
        &self,
        caller: &Caller,
        head: &Parts,
    ) -> Result<Response<AdminBody>, Refusal> {
        caller.needs(Role::Security)?;
        let trail = self.kept()?;
        no_query(head)?;
        let lines = trail.export().await.map_err(|error| unavailable(&error))?;
        let mut response = Response::new(AdminBody::parts(lines.boxed()));
        let kind = HeaderValue::from_static("application/x-ndjson");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(protect(response))
    }

    fn kept(&self) -> Result<&Trail, Refusal> {
        self.trail.as_ref().ok_or(Refusal::NoTrail)
    }
}
