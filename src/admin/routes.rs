//! How a request becomes a response: who sends it, and which resource it is about.

use std::time::Instant;

use hyper::{Method, Request, Response, body::Body, http::request::Parts};
use tower::{BoxError, Service};

use super::{
    AdminBody, Caller, describe::describe, observe, problem::Refusal, request, service::Shared,
};
use crate::{introspect::Introspected, log::RevocationLog, token::Secret};

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    /// Fails with what the caller is told instead.
    pub(super) async fn respond<I, B>(
        &self,
        introspect: I,
        request: Request<B>,
    ) -> Result<Response<AdminBody>, Refusal>
    where
        I: Service<Secret, Response: Into<Introspected>> + Clone,
        I::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let (head, body) = request.into_parts();
        let caller = self
            .caller(&head)
            .inspect_err(|refusal| observe::refused(refusal, None))?;
        let paced = self.pace.take(&caller, 1, Instant::now());
        paced.inspect_err(|refusal| observe::refused(refusal, Some(caller.name())))?;
        let path = head.uri.path();
        let response = match (path, &head.method) {
            ("/v1/revocations", &Method::POST) => {
                self.revoke(introspect, &caller, &head, body).await
            }
            ("/v1/revocations", &Method::GET) => self.orders(&caller, &head).await,
            ("/v1/revocations:bulk", &Method::POST) => {
                self.revoke_many(introspect, &caller, &head, body).await
            }
            ("/v1/revocations:export", &Method::GET) => self.export(&caller, &head).await,
            ("/v1/tokens:inspect", &Method::POST) => {
                self.inspect(introspect, &caller, &head, body).await
            }
            ("/v1/status", &Method::GET) => self.status(&caller, &head),
            ("/v1/openapi.json", &Method::GET) => describe(&caller, &head),
            ("/v1/revocations", _) => Err(Refusal::Method("GET, POST")),
            ("/v1/revocations:bulk" | "/v1/tokens:inspect", _) => Err(Refusal::Method("POST")),
            ("/v1/revocations:export" | "/v1/status" | "/v1/openapi.json", _) => {
                Err(Refusal::Method("GET"))
            }
            #[cfg(feature = "sightings")]
            ("/v1/sightings", &Method::GET) => self.sightings(&caller, &head),
            #[cfg(feature = "sightings")]
            ("/v1/sightings", _) if self.seen.is_some() => Err(Refusal::Method("GET")),
            (path, method) => match path.strip_prefix("/v1/revocations/") {
                Some(id) if method == Method::GET => self.order(&caller, &head, id).await,
                Some(_) => Err(Refusal::Method("GET")),
                None => Err(Refusal::NotFound),
            },
        };
        response.inspect_err(|refusal| observe::refused(refusal, Some(caller.name())))
    }

    fn caller(&self, head: &Parts) -> Result<Caller, Refusal> {
        // No peer can set an extension: the request was made in this process.
        if let Some(caller) = head.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let hosts = self.access.is_remote().then_some(&*self.hosts);
        request::check_origin(head, hosts)?;
        self.access.caller(head)
    }
}
