//! Ends sessions and tokens of the user who asks.

use futures::future::join_all;
use tower::{BoxError, Service, ServiceExt as _};

use super::{Parts, respond::User, sessions::Sessions};
use crate::{
    admin::{
        handle::HandlesOf, inspect::introspected, problem::Refusal, response::RETRY_AFTER,
        response::unavailable, revocations::targets_of,
    },
    introspect::{Introspected, Introspection},
    log::RevocationLog,
    revoke::{AdminRequest, Target},
    token::Secret,
};

/// One response for every token that is not the user's own.
const FOREIGN_TOKEN: Refusal = Refusal::Unprocessable("the token is not one of yours");
const UNNAMED: Refusal = Refusal::Unprocessable("no record can name the token alone");

impl<L: RevocationLog + Clone + Send + Sync + 'static> Parts<L> {
    /// Ends the session with this identifier. Every identifier that is not one of the user has the same
    /// response, also that of a session of somebody else.
    pub(super) async fn end(&self, user: &User, id: &str) -> Result<(), Refusal> {
        let handles = HandlesOf::subject(&self.handles, user.tenant(), &user.subject);
        match handles.open(id) {
            Some(selector) => self.carry_out(user, [Target::Selected(selector)]).await,
            None => Err(Refusal::NotFound),
        }
    }

    /// Ends all sessions but the current one, and returns how many.
    pub(super) async fn end_others(
        &self,
        user: &User,
        sessions: &Sessions,
    ) -> Result<usize, Refusal> {
        let others: Vec<_> = sessions.others().map(Target::Selected).collect();
        let number = others.len();
        self.carry_out(user, others).await?;
        Ok(number)
    }

    /// Ends a token that the user has typed, if it is the user's own.
    pub(super) async fn end_token<J>(
        &self,
        user: &User,
        introspect: J,
        secret: Secret,
    ) -> Result<(), Refusal>
    where
        J: Service<Secret, Response: Into<Introspected>> + Clone,
        J::Error: Into<BoxError>,
    {
        let found = introspected(introspect.clone(), secret.clone()).await?;
        let token = found.into_token().filter(|token| is_own(user, token));
        let token = token.ok_or(FOREIGN_TOKEN)?;
        let targets = targets_of(&token)?;
        if targets.is_empty() {
            return Err(UNNAMED);
        }
        self.carry_out(user, targets).await?;
        if token.issued_with.is_some() {
            // Another token may have been issued before the records. From now on there is none.
            let again = introspected(introspect, secret).await?.into_token();
            let again = again.ok_or(Refusal::Unavailable(RETRY_AFTER))?;
            if again.issued_with != token.issued_with {
                self.carry_out(user, targets_of(&again)?).await?;
            }
        }
        Ok(())
    }

    /// Returns once every record is durable.
    async fn carry_out(
        &self,
        user: &User,
        targets: impl IntoIterator<Item = Target>,
    ) -> Result<(), Refusal> {
        let requests = targets.into_iter().map(|target| {
            let mut request = AdminRequest::new(target).actor(format!("self:{}", user.subject));
            request.tenant.clone_from(&user.token.tenant);
            self.administration.clone().oneshot(request)
        });
        // All of them, also if one fails.
        let done = join_all(requests).await;
        let failed = done.into_iter().find_map(Result::err);
        failed.map_or(Ok(()), |error| Err(unavailable(&error)))
    }
}

fn is_own(user: &User, token: &Introspection) -> bool {
    token.tenant == user.token.tenant && token.sub.as_deref() == Some(&*user.subject)
}
