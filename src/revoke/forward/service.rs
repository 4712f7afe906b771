//! What happens to a request before it is forwarded?

use std::task::{Context, Poll};

use futures::{channel::oneshot, future::BoxFuture};
use tower::{BoxError, Service, ServiceExt as _};

use super::{
    ForwardRevocation,
    forwarding::{Forwarding, Owner, Reply},
};
#[cfg(feature = "profiles")]
use crate::error::Error;
use crate::{
    client::{Identified, WithCredentials},
    introspect::{Introspected, Introspection},
    log::RevocationLog,
    revoke::{RevocationOptions, options},
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
            let asked = options::of(&request);
            #[cfg(feature = "profiles")]
            if asked.order.is_some() {
                return Err(Error::invalid_request("Only a token can be named here").into());
            }
            let client = &request.client;
            let is_public =
                asked.is_unproven && (!client.is_verified() || client.client().is_public());
            asked.check_client(is_public)?;
            #[cfg(feature = "profiles")]
            let asked = asked.complete().await?;
            // The other server decides who the owner is.
            let options = asked.options.clone().by_possession(false);
            let (outcome, token) = match forward.prepare(request, options, is_public).await? {
                Prepared::Done(outcome) => (outcome, None),
                Prepared::Forwarding(forwarding, token, reply) => {
                    // What the other server revokes is recorded even if the client disconnects.
                    tokio::spawn(forwarding.run());
                    (reply.await??, token)
                }
            };
            asked.report(outcome, token.as_ref());
            Ok(outcome)
        })
    }
}

enum Prepared<C, I, L> {
    /// The outcome is known without the other server.
    Done(Outcome),
    Forwarding(
        Box<Forwarding<C, I, L>>,
        /// The client's own token.
        Option<Introspection>,
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
        options: RevocationOptions,
        is_public: bool,
    ) -> Result<Prepared<C, I, L>, BoxError> {
        options.apply(is_public, &mut self.recorder);
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
            // Nobody knows whether the token is one that may be revoked.
            None if options.depends_on_the_token() => {
                return Ok(Prepared::Done(Outcome::Unsupported));
            }
            None => Owner::Unknown,
            Some(token) => {
                let is_owner = client.is(&token.client_id, token.iss.as_deref());
                match options.exclude(&token, is_owner) {
                    None => Owner::ThisClient(token),
                    // A client that was not authenticated must not learn whose the token is before
                    // the other server has authenticated it.
                    Some(Outcome::IssuedToAnother)
                        if !client.is_verified() && !options.depends_on_the_token() =>
                    {
                        Owner::OtherClient
                    }
                    // What the options exclude is not forwarded: the other server knows no options.
                    Some(outcome) => return Ok(Prepared::Done(outcome)),
                }
            }
        };
        let mut known = None;
        if let Owner::ThisClient(token) = &owner {
            self.recorder.check_quota(token)?;
            known = Some(token.clone());
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
        Ok(Prepared::Forwarding(Box::new(forwarding), known, receiver))
    }
}
