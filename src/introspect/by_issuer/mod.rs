//! The tokens of several issuers behind one service.

mod future;
mod named;

use std::{
    collections::HashMap,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use tower::{BoxError, Service};

pub use self::future::ByIssuerFuture;
use self::named::Named;
use super::{Introspected, Reason};
use crate::token::Secret;

/// Chooses an introspection by the issuer that a token names.
///
/// The issuer is read from the `iss` of a JWT **before anything is verified, so it only chooses**:
/// the introspection of that issuer verifies the token, and no other one is called. A token with a
/// forged `iss` is a token that the named issuer did not sign.
///
/// | Token | Introspection |
/// |---|---|
/// | a JWT whose `iss` is one of the issuers, **byte for byte** | that of the issuer |
/// | a JWT of another issuer, or without a readable `iss`; a token that is no signed JWT | the [default](Self::default_issuer), or none |
/// | longer than the [limit](Self::max_size) | none: [`Unhandled`](Introspected::Unhandled) |
///
/// Without a default, the second row is [`Unrecognised`](Introspected::Unrecognised): certainly not
/// a token of these issuers. An opaque refresh token may still be a live one of theirs, so a
/// revocation endpoint returns `unsupported_token_type` for it.
///
/// # One issuer never speaks for another
///
/// * If an introspection returns a token whose `iss` is not its own issuer, the result is
///   [`Unhandled`](Introspected::Unhandled). So the introspection endpoint of one issuer cannot name
///   tokens of another one.
/// * Each issuer is a tenant, named like the issuer: a record about the subject `alice` of one
///   issuer covers nothing of another one. It is set unless the introspection sets a
///   [tenant](super::Claims::tenant) itself, as for two names of one issuer.
///
/// What the introspection leaves out (`iss`, `tenant`) is set in a copy of its claims. **Give each
/// introspection the issuer as its tenant**, so that nothing is copied and the work of an
/// [`Index`](crate::enforce::Index) is kept with cached tokens.
///
/// If the keys of one issuer cannot be fetched, its own tokens are 503, and those of the others are
/// not affected.
///
/// The introspections have one type. For different ones, box them: `BoxCloneSyncService` of tower.
///
/// ```
/// use tower::ServiceExt;
/// use tower_revocation::{Secret, introspect::ByIssuer, test_util::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// let [shop, bank] = ["https://shop.test", "https://bank.test"].map(TestIssuer::new);
/// let tokens = ByIssuer::new()
///     .issuer(shop.issuer(), shop.tokens().tenant(shop.issuer()))
///     .issuer(bank.issuer(), bank.tokens().tenant(bank.issuer()));
///
/// let token = Secret::new(bank.token().subject("alice").sign());
/// let token = tokens.clone().oneshot(token).await?.into_token().expect("it is genuine");
/// assert_eq!(token.tenant.as_deref(), Some("https://bank.test"));
///
/// let forged = Secret::new(shop.token().claim("iss", "https://bank.test").sign());
/// assert!(tokens.oneshot(forged).await?.into_token().is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a service does nothing until it is called"]
pub struct ByIssuer<S> {
    issuers: Arc<Issuers<S>>,
    max_size: usize,
}

#[derive(Clone)]
struct Issuers<S> {
    named: HashMap<Arc<str>, S>,
    /// For tokens that name none of the issuers.
    default: Option<(Arc<str>, S)>,
}

impl<S> ByIssuer<S> {
    /// Creates a service without an issuer, which recognises no token.
    pub fn new() -> Self {
        Self {
            issuers: Arc::new(Issuers {
                named: HashMap::new(),
                default: None,
            }),
            max_size: 16 * 1024,
        }
    }

    /// Limits the length of a token, in bytes. Defaults to 16 KiB. A longer token is not read.
    pub fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = bytes;
        self
    }
}

impl<S: Clone> ByIssuer<S> {
    /// Calls `introspect` for the JWTs that name this issuer.
    ///
    /// # Panics
    ///
    /// Panics if there is one for this issuer already.
    pub fn issuer(mut self, issuer: impl Into<String>, introspect: S) -> Self {
        let issuer: Arc<str> = issuer.into().into();
        let named = &mut Arc::make_mut(&mut self.issuers).named;
        let known = named.insert(issuer.clone(), introspect);
        assert!(known.is_none(), "the issuer {issuer} is given twice");
        self
    }

    /// Calls `introspect` for all tokens that name none of the issuers: opaque tokens, encrypted
    /// ones, and JWTs of others. What it recognises is a token of `issuer`, which may also be one
    /// of the other issuers, such as one whose refresh tokens are opaque.
    ///
    /// # Panics
    ///
    /// Panics if there is a default already.
    pub fn default_issuer(mut self, issuer: impl Into<String>, introspect: S) -> Self {
        let default = &mut Arc::make_mut(&mut self.issuers).default;
        assert!(default.is_none(), "there are two default issuers");
        *default = Some((issuer.into().into(), introspect));
        self
    }
}

impl<S> Default for ByIssuer<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Service<Secret> for ByIssuer<S>
where
    S: Service<Secret, Response: Into<Introspected>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Introspected;
    type Error = BoxError;
    type Future = ByIssuerFuture<S, S::Future>;

    /// Always ready: the token decides which introspection has to be ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, token: Secret) -> Self::Future {
        let Issuers { named, default } = &*self.issuers;
        let (known, reason) = match named::by(token.expose(), self.max_size) {
            Named::TooLong => {
                let introspected = Introspected::unhandled(Reason::NotAToken, None);
                return ByIssuerFuture::done(introspected);
            }
            Named::Issuer(issuer) => (named.get_key_value(&*issuer), Reason::Issuer),
            Named::None(reason) => (None, reason),
        };
        let default = || default.as_ref().map(|(issuer, service)| (issuer, service));
        match known.or_else(default) {
            Some((issuer, service)) => {
                ByIssuerFuture::introspecting(service.clone(), token, issuer.clone())
            }
            None => ByIssuerFuture::done(Introspected::Unrecognised(reason)),
        }
    }
}

impl<S> fmt::Debug for ByIssuer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = self.issuers.default.as_ref().map(|(issuer, _)| issuer);
        f.debug_struct("ByIssuer")
            .field("issuers", &self.issuers.named.keys())
            .field("default", &default)
            .finish_non_exhaustive()
    }
}
