//! What a caller may do.

use std::{error::Error, fmt, str::FromStr};

pub(super) const UNKNOWN: &str = "the role is none of viewer, operator and security";

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
    /// Sees the status, what an order would revoke, which tokens of a subject were used here (feature
    /// `sightings`), and the orders that are kept, with the names and the reasons in them.
    Viewer,
    /// Revokes the tokens of one subject, session, grant or key, or one token. Inspects tokens.
    Operator,
    /// Revokes all tokens of a client or of an issuer. Exports all orders that are kept.
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
    type Err = UnknownRole;

    /// Reads a name, **byte for byte**.
    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        let roles = [Self::Viewer, Self::Operator, Self::Security];
        let mut roles = roles.into_iter();
        roles
            .find(|role| role.as_str() == name)
            .ok_or(UnknownRole(()))
    }
}

/// No [`Role`] has this name.
///
/// ```
/// use tower_revocation::admin::Role;
///
/// let error = "admin".parse::<Role>().unwrap_err();
/// assert_eq!(error.to_string(), "the role is none of viewer, operator and security");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRole(());

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(UNKNOWN)
    }
}

impl Error for UnknownRole {}
