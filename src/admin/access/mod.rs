//! Who sends an order, and what may it do?

mod role;
mod tokens;

use std::sync::Arc;

use hyper::{HeaderMap, header::AUTHORIZATION};

pub use self::{
    role::Role,
    tokens::{AdminTokens, AdminTokensError},
};
use super::problem::Refusal;

/// Who may use an [`AdminService`](super::AdminService).
#[derive(Clone, Debug)]
pub struct Access(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Owner(Caller),
    Tokens(AdminTokens),
}

/// Who sends a request. It is the [actor](crate::revoke::AdminRequest::actor) in the events.
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

    /// Each request needs one of these tokens, as `Authorization: Bearer` (RFC 6750 §2.1).
    #[must_use]
    pub fn tokens(tokens: AdminTokens) -> Self {
        Self(Kind::Tokens(tokens))
    }

    /// Whether requests come over the network.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.0, Kind::Tokens(_))
    }

    /// Who sends a request with this head.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let tokens = match &self.0 {
            Kind::Owner(caller) => return Ok(caller.clone()),
            Kind::Tokens(tokens) => tokens,
        };
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else {
            return Err(Refusal::Unauthenticated);
        };
        let token = field.to_str().ok().and_then(|field| {
            let (scheme, token) = field.split_once(' ')?;
            let token = token.trim_start_matches(' ');
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        let caller = token.and_then(|token| tokens.caller(token));
        caller.ok_or(Refusal::Unauthenticated)
    }
}

impl Caller {
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
