//! Who sends an order, and what may it do?

mod credential;
mod operators;
mod proxy;
mod role;

use std::sync::Arc;

use hyper::{
    HeaderMap,
    header::AUTHORIZATION,
    http::{Extensions, request::Parts},
};

pub use self::{
    operators::{Operators, OperatorsError},
    role::{Role, UnknownRole},
};
use super::problem::Refusal;

/// Who may use an [`AdminService`](super::AdminService).
#[derive(Clone, Debug)]
pub struct Access(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Owner(Caller),
    Operators {
        operators: Operators,
        proxy: Option<proxy::ProxyNames>,
    },
}

/// Who sends a request. It is the [actor](crate::revoke::AdminRequest::actor) in the events.
///
/// A request that has a caller in its extensions needs no token, and no `Host`: the application has
/// authenticated it. No peer can set an extension. [`new`](Self::new) and [`Operators::by_token`] return
/// a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
}

impl Access {
    /// Everyone who can send a request may do everything. **Only for a Unix socket in a folder that
    /// only its owner can open.** The name is the actor in the events.
    pub fn owner(name: impl Into<String>) -> Self {
        Self(Kind::Owner(Caller {
            name: name.into().into(),
            role: Role::Security,
        }))
    }

    /// Each request has to show that it is of one of these operators.
    ///
    /// If it has an `Authorization: Bearer` (RFC 6750 §2.1), that is a token of an operator.
    /// Otherwise it is the request of the operator whose certificate the connection has (feature
    /// `mtls`: a [`ClientCertificate`](crate::client::certificate::ClientCertificate) in the
    /// extensions, whose chain was verified), or whom a [proxy names](Self::proxy_names).
    #[must_use]
    pub fn operators(operators: Operators) -> Self {
        Self(Kind::Operators {
            operators,
            proxy: None,
        })
    }

    /// Whose token has this SHA-256.
    #[cfg(feature = "pages")]
    pub(super) fn caller_of_digest(&self, digest: &[u8; 32]) -> Option<Caller> {
        match &self.0 {
            Kind::Owner(_) => None,
            Kind::Operators { operators, .. } => operators.by_digest(digest),
        }
    }

    /// Whether requests come over the network.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.0, Kind::Operators { .. })
    }

    /// Who sends a request with this head.
    pub(super) fn caller(&self, head: &Parts) -> Result<Caller, Refusal> {
        let (operators, proxy) = match &self.0 {
            Kind::Owner(caller) => return Ok(caller.clone()),
            Kind::Operators { operators, proxy } => (operators, proxy),
        };
        let caller = match presented(&head.headers) {
            Presented::Token(token) => operators.by_token(token),
            Presented::Several => None,
            Presented::NoToken => {
                let by_proxy = || operators.by_proxy_name(proxy.as_ref()?.name(head)?);
                by_certificate(operators, &head.extensions).or_else(by_proxy)
            }
        };
        caller.ok_or(Refusal::Unauthenticated)
    }
}

#[cfg(feature = "mtls")]
fn by_certificate(operators: &Operators, extensions: &Extensions) -> Option<Caller> {
    operators.by_certificate(extensions.get()?)
}

#[cfg(not(feature = "mtls"))]
fn by_certificate(_: &Operators, _: &Extensions) -> Option<Caller> {
    None
}

/// What a request has as `Authorization`.
enum Presented<'a> {
    Token(&'a str),
    /// None, or one of another scheme, which a proxy may have used itself.
    NoToken,
    Several,
}

fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let field = match (fields.next(), fields.next()) {
        (Some(field), None) => field,
        (None, _) => return Presented::NoToken,
        (Some(_), Some(_)) => return Presented::Several,
    };
    let parts = field.to_str().ok().and_then(|field| field.split_once(' '));
    match parts {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Presented::Token(token.trim_start_matches(' '))
        }
        _ => Presented::NoToken,
    }
}

impl Caller {
    /// Makes a caller. The application has authenticated it. The name is the actor in the events.
    ///
    /// ```
    /// use hyper::Request;
    /// use tower_revocation::admin::{Caller, Role};
    ///
    /// let mut request = Request::new(());
    /// request.extensions_mut().insert(Caller::new("alice", Role::Viewer));
    /// # assert_eq!(request.extensions().get::<Caller>().unwrap().name(), "alice");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into().into(),
            role,
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// # Errors
    ///
    /// Fails if the caller has a lower role.
    pub(super) fn needs(&self, role: Role) -> Result<(), Refusal> {
        if self.role >= role {
            Ok(())
        } else {
            Err(Refusal::Forbidden(role))
        }
    }
}
