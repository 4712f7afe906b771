//! What happens to a request before it is forwarded?

use std::task::{Context, Poll};

use futures::{channel::oneshot, future::BoxFuture};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    ForwardRevocation,
    forwarding::{Forwarding, Owner, Reply},
};
use crate::{
    client::{Identified, WithCredentials},
    introspect::Introspected,
    log::RevocationLog,
    revoke::RevocationOptions,
    token::{Outcome, RevocationRequest, Secret},
};

impl<C, I, L> Service<RevocationRequest<WithCredentials<C>>> for ForwardRevocation<I, L>
where
    C: Identified + Send + Sync + 'static,
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    type Response = Outcome;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Outcome, BoxError>>;

    /// Always returns ready: the backend waits for its introspection when it is called.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RevocationRequest<WithCredentials<C>>) -> Self::Future {
        let forward = self.clone();
        Box::pin(async move {
            match forward.prepare(request).await? {
                Prepared::Done(outcome) => Ok(outcome),
                Prepared::Forwarding(forwarding, reply) => {
                    // What the other server revokes is recorded even if the client disconnects.
                    tokio::spawn(forwarding.run());
                    reply.await?
                }
            }
        })
    }
}

enum Prepared<C, I, L> {
    /// The outcome is known without the other server.
    Done(Outcome),
    Forwarding(
        Box<Forwarding<C, I, L>>,
        oneshot::Receiver<Result<Outcome, BoxError>>,
    ),
}

impl<I, L> ForwardRevocation<I, L>
where
    I: Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
    L: RevocationLog,
{
    async fn prepare<C: Identified>(
        mut self,
        request: RevocationRequest<WithCredentials<C>>,
    ) -> Result<Prepared<C, I, L>, BoxError> {
        let options = RevocationOptions::of(&request).unwrap_or_default();
        // The other server decides who the owner is.
        let options = options.by_possession(false);
        options.apply(&mut self.recorder);
        let RevocationRequest {
            client,
            token,
            hint,
            ..
        } = request;
        self.server.check_audience(&client)?;
        let lock = self.locks.lock(&token).await;
        // A revocation that could not be recorded afterwards is not forwarded.
        self.recorder.check_log()?;
        let mut asked = token.clone();
        if client.is_verified() {
            asked = asked.asked_by(client.client().client_id());
        }
        let introspected = self.introspect.clone().oneshot(asked).await;
        let introspected = introspected.map_err(Into::into)?.into().into_token();
        let owner = match introspected {
            None => Owner::Unknown,
            Some(token) => {
                options.found(&token);
                let is_owner = client.is(&token.client_id, token.iss.as_deref());
                match options.exclude(&token, is_owner) {
                    None => Owner::ThisClient(token),
                    Some(outcome) if client.is_verified() => return Ok(Prepared::Done(outcome)),
                    // A client that was not authenticated must not learn anything about the token
                    // before the other server has authenticated it.
                    Some(_) => Owner::OtherClient,
                }
            }
        };
        if let Owner::ThisClient(token) = &owner {
            self.recorder.check_quota(token)?;
        }
        let slot = self.slots.take()?;
        let (reply, receiver) = Reply::new();
        let forwarding = Forwarding {
            server: self.server,
            introspect: self.introspect,
            recorder: self.recorder,
            confirm_by: self.confirm_by,
            confirmed_issuers: self.confirmed_issuers,
            client,
            token,
            hint,
            owner,
            reply,
            _lock: lock,
            _slot: slot,
        };
        Ok(Prepared::Forwarding(Box::new(forwarding), receiver))
    }
}
