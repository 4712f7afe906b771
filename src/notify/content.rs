//! The part of an entry of the journal that this module reads and writes.

use serde_json::{Map, Value};

use super::delivery::Deliveries;

/// The member of the content with the deliveries.
pub(crate) const MEMBER: &str = "deliveries";

/// The content of an entry: a JSON object. Members other than the deliveries stay as they are.
pub(super) struct Content {
    members: Map<String, Value>,
    pub(super) deliveries: Deliveries,
}

impl Content {
    /// `None` if the content is not such an object, or has no deliveries.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        let mut members: Map<String, Value> = serde_json::from_slice(content).ok()?;
        let deliveries = serde_json::from_value(members.remove(MEMBER)?).ok()?;
        Some(Self {
            members,
            deliveries,
        })
    }

    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let mut members = self.members.clone();
        let deliveries = serde_json::to_value(&self.deliveries).ok()?;
        members.insert(MEMBER.to_owned(), deliveries);
        serde_json::to_vec(&members).ok()
    }
}
