//! Handles of one subject.

use crate::{log::Selector, revoke::Handles};

/// Makes and reads the handles of one subject of a tenant, as administrators and the subject itself see
/// them.
pub(super) struct HandlesOf<'a> {
    handles: &'a Handles,
    owner: Selector,
}

impl<'a> HandlesOf<'a> {
    pub(super) fn subject(handles: &'a Handles, tenant: Option<&str>, subject: &str) -> Self {
        let owner = Selector::subject(subject);
        Self {
            handles,
            owner: tenant.map_or(owner, |tenant| owner.within(tenant)),
        }
    }

    #[cfg(feature = "sightings")]
    pub(super) fn seal(&self, selector: &Selector) -> String {
        self.handles.seal(selector, &self.owner)
    }

    /// `None` if it is not a handle of this subject.
    pub(super) fn open(&self, handle: &str) -> Option<Selector> {
        self.handles.open(handle, &self.owner)
    }
}
