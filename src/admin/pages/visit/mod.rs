//! Who visits, and is it really their page that sends a form?

mod attempts;
mod cookie;
mod guard;
mod id;
mod sessions;

use std::{fmt, sync::Arc};

pub(super) use self::{
    attempts::Attempts,
    cookie::Cookie,
    guard::{check_host, check_origin},
    id::{FormKey, Id},
    sessions::Sessions,
};
use super::{operator::SignedIn, own::OwnToken};

/// The sessions of browsers, in the memory of this process. Clones share them.
///
/// Keep one for as long as the process runs, and pass it to the pages whenever they are made anew,
/// such as after a reload of the tokens. A session ends 15 minutes after its last request, and 8 hours
/// after the sign-in in any case.
///
/// ```
/// use tower_revocation::admin::PageSessions;
///
/// let sessions = PageSessions::new()?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct PageSessions(Arc<Shared>);

struct Shared {
    key: FormKey,
    /// Each kind of page has its own, so that wrong tokens at one do not block sign-ins at the other.
    operator_attempts: Attempts,
    user_attempts: Attempts,
    operators: Sessions<SignedIn>,
    users: Sessions<OwnToken>,
}

impl PageSessions {
    /// Begins without a session.
    ///
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub fn new() -> Result<Self, std::io::Error> {
        let key = FormKey::random().map_err(std::io::Error::other)?;
        Ok(Self(Arc::new(Shared {
            key,
            operator_attempts: Attempts::new(),
            user_attempts: Attempts::new(),
            operators: Sessions::new(16),
            // Users of one network share an address.
            users: Sessions::new(256),
        })))
    }

    pub(super) fn key(&self) -> &FormKey {
        &self.0.key
    }

    pub(super) fn operator_attempts(&self) -> &Attempts {
        &self.0.operator_attempts
    }

    pub(super) fn user_attempts(&self) -> &Attempts {
        &self.0.user_attempts
    }

    pub(super) fn operators(&self) -> &Sessions<SignedIn> {
        &self.0.operators
    }

    pub(super) fn users(&self) -> &Sessions<OwnToken> {
        &self.0.users
    }
}

impl fmt::Debug for PageSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageSessions").finish_non_exhaustive()
    }
}
