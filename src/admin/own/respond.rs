//! How a request of a user becomes a response.

use hyper::{Method, Request, Response, StatusCode, body::Body};
use tower::{BoxError, Service};

use super::{Parts, sessions::Sessions};
use crate::{
    admin::{
        AdminBody, InspectionOrder, OthersRevoked, OwnSessionsList,
        handle::HandlesOf,
        problem::Refusal,
        request::{self, no_query},
        response::{json, protect},
    },
    introspect::{Introspected, Introspection},
    log::RevocationLog,
    token::Secret,
};

/// The user who asks, by the token of the request.
pub(super) struct User {
    pub(super) token: Introspection,
    pub(super) subject: String,
}

impl User {
    pub(super) fn tenant(&self) -> Option<&str> {
        self.token.tenant.as_deref()
    }
}

impl<L: RevocationLog + Clone + Send + Sync + 'static> Parts<L> {
    pub(super) async fn respond<J, B>(
        &self,
        introspect: J,
        request: Request<B>,
    ) -> Result<Response<AdminBody>, Refusal>
    where
        J: Service<Secret, Response: Into<Introspected>> + Clone,
        J::Error: Into<BoxError>,
        B: Body<Data: Send, Error: Into<BoxError>>,
    {
        let (head, body) = request.into_parts();
        let token = head.extensions.get::<Introspection>();
        let subject = token.and_then(|token| token.sub.clone());
        let (Some(token), Some(subject)) = (token.cloned(), subject) else {
            return Err(Refusal::Foreign("the token has no subject"));
        };
        let user = User { token, subject };
        let rest = head.uri.path().strip_prefix(&*self.path);
        let rest = rest.ok_or(Refusal::NotFound)?;
        let id = rest.strip_prefix("/sessions/");
        match (rest, id, &head.method) {
            (_, Some(id), &Method::DELETE) => {
                no_query(&head)?;
                self.end(&user, id).await?;
                Ok(no_content())
            }
            ("/sessions", _, &Method::GET) => {
                no_query(&head)?;
                let sessions = self.sessions(&user, &head);
                Ok(json(StatusCode::OK, &self.list(&user, &sessions)))
            }
            ("/sessions:revoke-others", _, &Method::POST) => {
                no_query(&head)?;
                let sessions = self.sessions(&user, &head);
                let others = OthersRevoked {
                    revoked: self.end_others(&user, &sessions).await?,
                    seen_here_since: self.sightings.since().seconds(),
                };
                Ok(json(StatusCode::OK, &others))
            }
            ("/tokens:revoke", _, &Method::POST) => {
                no_query(&head)?;
                let InspectionOrder { token } = request::document(&head.headers, body).await?;
                self.end_token(&user, introspect, token).await?;
                Ok(no_content())
            }
            (_, Some(_), _) => Err(Refusal::Method("DELETE")),
            ("/sessions", _, _) => Err(Refusal::Method("GET")),
            ("/sessions:revoke-others" | "/tokens:revoke", _, _) => Err(Refusal::Method("POST")),
            _ => Err(Refusal::NotFound),
        }
    }

    fn list(&self, user: &User, sessions: &Sessions) -> OwnSessionsList {
        let handles = HandlesOf::subject(&self.handles, user.tenant(), &user.subject);
        OwnSessionsList {
            seen_here_since: self.sightings.since().seconds(),
            sessions: sessions.documents(&handles),
        }
    }
}

fn no_content() -> Response<AdminBody> {
    let mut response = Response::new(AdminBody::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    protect(response)
}
