//! An introspection that looks into the links first.

use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tower::{BoxError, Service, ServiceExt as _};

use super::{Links, lookup::Linked};
use crate::{introspect::Introspected, token::Secret};

/// Introspects the refresh tokens that [`Links`] know, and asks another introspection about all
/// other tokens.
///
/// A refresh token is [`Unhandled`](Introspected::Unhandled) if its link is damaged, or if records
/// would miss an access token of it. The other introspection is not asked then: a revocation by what
/// it knows would be 200, and miss access tokens.
///
/// ```
/// use tower_revocation::{
///     log::EmbeddedLog,
///     revoke::{LinkedTokens, Links, RecordRevocation},
///     test_util::TestIssuer,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("revocations.redb");
/// let log = EmbeddedLog::open(&path)?;
/// let issuer = TestIssuer::new("https://issuer.test");
/// let tokens = LinkedTokens::new(Links::open(log.clone())?, issuer.tokens());
/// let backend = RecordRevocation::new(tokens, log);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a service does nothing until it is called"]
pub struct LinkedTokens<I> {
    links: Links,
    others: I,
}

impl<I> LinkedTokens<I> {
    /// Looks into `links` first, and asks `others` about tokens that no link knows.
    pub fn new(links: Links, others: I) -> Self {
        Self { links, others }
    }
}

impl<I> Service<Secret> for LinkedTokens<I>
where
    I: Service<Secret, Response: Into<Introspected>> + Clone + Send + 'static,
    I::Error: Into<BoxError>,
    I::Future: Send,
{
    type Response = Introspected;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Introspected, BoxError>>;

    /// Always ready: the token decides which introspection has to be ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        let Self { links, others } = self.clone();
        Box::pin(async move {
            match links.look_up(&token)? {
                Linked::No => Ok(others.oneshot(token).await.map_err(Into::into)?.into()),
                known => Ok(known.into()),
            }
        })
    }
}
