//! Telling Keycloak.

mod access;
mod user;

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{
    Request, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue},
};
use serde_json::Value;
use tower::Service;

use super::{
    Notice, NotifyError, NotifyErrorKind,
    server::{self, Answer, Server},
};
use crate::{jose::Members, log::SelectorClass, token::Secret};
use access::AccessTokens;

/// Ends the sessions of a subject at Keycloak, and with them its refresh tokens.
///
/// It calls `POST /admin/realms/{realm}/users/{id}/logout`, which ends every session of the user,
/// and sets the date before which none of its tokens is valid. It authenticates with an access token
/// from the client-credentials grant, which it fetches when it needs one. The client must be
/// confidential, with a service account that has the role `manage-users` of the client
/// `realm-management`.
///
/// **The `sub` of the tokens must be the id of the user.** It is, unless a mapper of the realm
/// changes it, such as the one for pairwise subjects. Keycloak knows no user by another name, which
/// counts as success: a user that was deleted has no tokens.
///
/// It ends all sessions of the user, even if the order covers only those before a date. Keycloak
/// cannot be told about other orders: a subject at one client, a client, a key or an issuer.
///
/// It follows no redirect and uses no proxy. Each request has a limit of 10 s.
///
/// ```
/// use tower_revocation::{Secret, notify::{Keycloak, NotifyError}};
///
/// let secret = Secret::new("gX1fBat3bV");
/// let realm = "https://id.example.com/realms/shop";
/// let keycloak = Keycloak::new(realm, "revocation", &secret)?;
/// assert!(Keycloak::new("https://id.example.com", "revocation", &secret).is_err());
/// # Ok::<_, NotifyError>(())
/// ```
///
/// # Panics
///
/// Panics outside a tokio runtime with its time driver.
#[derive(Clone)]
#[must_use = "a service does nothing until it is called"]
pub struct Keycloak {
    server: Server,
    /// `…/admin/realms/{realm}`.
    admin: String,
    access: Arc<AccessTokens>,
}

impl Keycloak {
    /// The orders of which Keycloak can be told.
    pub const CLASSES: &'static [SelectorClass] = &[SelectorClass::Subject];

    /// Calls the Keycloak with this realm: its issuer, such as
    /// `https://id.example.com/realms/shop`. It must be `https`, or `http` on this machine
    /// (`localhost`, `127.0.0.1`, `[::1]`).
    ///
    /// # Errors
    ///
    /// Fails if the URI is neither, if it is not that of a realm, or if it has userinfo, a query or
    /// a fragment.
    pub fn new(realm: &str, client_id: &str, secret: &Secret) -> Result<Self, NotifyError> {
        Self::at(realm, client_id, secret, false)
    }

    /// As [`new`](Self::new), and also accepts `http` URIs of other machines. **Anyone on the
    /// network path can then read the secret**: use it only where the network itself is encrypted.
    ///
    /// # Errors
    ///
    /// Fails as [`new`](Self::new) does.
    pub fn plain_http(realm: &str, client_id: &str, secret: &Secret) -> Result<Self, NotifyError> {
        Self::at(realm, client_id, secret, true)
    }

    fn at(
        realm: &str,
        client_id: &str,
        secret: &Secret,
        allow_plain: bool,
    ) -> Result<Self, NotifyError> {
        const NO_REALM: &str =
            "the URI is not that of a realm, such as https://id.example.com/realms/shop";
        let uri = server::uri(realm, allow_plain)?;
        let realm = realm.trim_end_matches('/');
        let (base, name) = realm
            .rsplit_once("/realms/")
            .filter(|(_, name)| !name.is_empty() && !name.contains('/') && uri.query().is_none())
            .ok_or(NotifyError::configuration(NO_REALM))?;
        let token_endpoint = server::uri(
            &format!("{realm}/protocol/openid-connect/token"),
            allow_plain,
        )?;
        Ok(Self {
            server: Server::new(Duration::from_secs(10)),
            admin: format!("{base}/admin/realms/{name}"),
            access: Arc::new(AccessTokens::new(token_endpoint, client_id, secret)),
        })
    }

    /// Limits the time of each request, from the lookup of the name to the last byte of the
    /// response. Defaults to 10 s. At most four requests are sent in one attempt.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.server = self.server.timeout(limit);
        self
    }

    /// Trusts these certificates in PEM instead of the system's.
    ///
    /// # Errors
    ///
    /// Fails if there is no certificate, or one that cannot be read.
    pub fn trusted_ca(mut self, pem: &[u8]) -> Result<Self, NotifyError> {
        self.server = self.server.trusted_ca(pem)?;
        Ok(self)
    }

    async fn tell(self, notice: Notice) -> Result<(), NotifyError> {
        let (SelectorClass::Subject, Some(subject)) = (notice.class, &notice.subject) else {
            return Err(NotifyError::new(NotifyErrorKind::Unsupported));
        };
        let user =
            user::segment(subject).ok_or_else(|| NotifyError::new(NotifyErrorKind::Unsupported))?;
        let uri: Uri = format!("{}/users/{user}/logout", self.admin)
            .parse()
            .map_err(|_| NotifyError::new(NotifyErrorKind::Unsupported))?;
        let token = self.access.token(&self.server).await?;
        let mut answer = self.log_out(&uri, &token.authorization).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // The token was revoked, or the keys of the realm were changed.
            self.access.forget(&token).await;
            let token = self.access.token(&self.server).await?;
            answer = self.log_out(&uri, &token.authorization).await?;
        }
        match answer.status {
            StatusCode::NO_CONTENT | StatusCode::OK => Ok(()),
            StatusCode::NOT_FOUND if is_unknown_user(&answer.body) => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                // The next token may have a role that this one lacks.
                self.access.forget_all().await;
                Err(answer.error())
            }
            _ => Err(answer.error()),
        }
    }

    async fn log_out(&self, uri: &Uri, token: &HeaderValue) -> Result<Answer, NotifyError> {
        let request = Request::post(uri.clone())
            .header(AUTHORIZATION, token)
            .header(CONTENT_LENGTH, 0)
            .body(Full::new(Bytes::new()))
            .map_err(|error| NotifyError::new(NotifyErrorKind::Configuration).caused_by(error))?;
        self.server.send(request).await
    }
}

/// Whether Keycloak says that there is no such user. A 404 of something else, such as a proxy that
/// does not forward the admin API, says nothing about the user.
fn is_unknown_user(body: &[u8]) -> bool {
    let Ok(members) = Members::parse(body) else {
        return false;
    };
    let error = members.get("error").and_then(Value::as_str);
    error.is_some_and(|error| error.trim_end_matches('.') == "User not found")
}

impl Service<Notice> for Keycloak {
    type Response = ();
    type Error = NotifyError;
    type Future = BoxFuture<'static, Result<(), NotifyError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, notice: Notice) -> Self::Future {
        Box::pin(self.clone().tell(notice))
    }
}

impl fmt::Debug for Keycloak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keycloak")
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realm_is_the_end_of_its_uri() {
        let keycloak = |uri| Keycloak::new(uri, "revocation", &Secret::new("s"));
        let admin = |uri| keycloak(uri).unwrap().admin;
        for (uri, expected) in [
            (
                "https://id.test/realms/shop",
                "https://id.test/admin/realms/shop",
            ),
            (
                "https://id.test/realms/shop/",
                "https://id.test/admin/realms/shop",
            ),
            (
                "https://id.test/auth/realms/a",
                "https://id.test/auth/admin/realms/a",
            ),
            (
                "http://[::1]:8080/realms/a",
                "http://[::1]:8080/admin/realms/a",
            ),
        ] {
            assert_eq!(admin(uri), expected);
        }
        for uri in [
            "https://id.test",
            "https://id.test/realms/",
            "https://id.test/realms/shop/account",
            "https://id.test/realms/shop?a=b",
            "http://id.test/realms/shop",
        ] {
            let error = keycloak(uri).unwrap_err();
            assert_eq!(error.kind(), NotifyErrorKind::Configuration, "{uri}");
        }
    }

    #[test]
    fn only_keycloak_says_that_there_is_no_user() {
        assert!(is_unknown_user(br#"{"error":"User not found"}"#));
        let with_more = br#"{"error":"User not found","error_description":"See the log."}"#;
        assert!(is_unknown_user(with_more));
        for other in [
            &b""[..],
            b"User not found",
            b"<html>User not found</html>",
            br#"{"error":"Realm not found."}"#,
            br#"{"error":"HTTP 404 Not Found"}"#,
            br#"{"error":null}"#,
        ] {
            assert!(!is_unknown_user(other));
        }
    }
}
