//! What a caller may do.

use std::str::FromStr;

/// What a caller may do. Each role may also do what the ones before it may.
///
/// ```
/// use tower_revocation::admin::Role;
///
/// assert_eq!("operator".parse(), Ok(Role::Operator));
/// assert!(Role::Security > Role::Viewer);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Sees the status, and what an order would revoke.
    Viewer,
    /// Revokes the tokens of one subject, session, grant or key, or one token. Inspects tokens.
    Operator,
    /// Revokes all tokens of a client or of an issuer.
    Security,
}

impl Role {
    /// Returns the name: `viewer`, `operator` or `security`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Security => "security",
        }
    }
}

impl FromStr for Role {
    /// No role has this name.
    type Err = ();

    /// Reads a name, **byte for byte**.
    fn from_str(name: &str) -> Result<Self, ()> {
        let roles = [Self::Viewer, Self::Operator, Self::Security];
        let mut roles = roles.into_iter();
        roles.find(|role| role.as_str() == name).ok_or(())
    }
}
