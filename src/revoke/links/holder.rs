//! Whose is a family? The names by which families are counted.

use super::family::Family;
use crate::log::FileKey;

/// A digest of a client of a tenant, or of a subject at one.
pub(super) type Holder = [u8; 16];

/// The client of a family.
pub(super) fn holder(key: &FileKey, family: &Family) -> Holder {
    digest(key, &[tenant(family), &family.client_id])
}

/// The subject of a family at its client.
pub(super) fn subject(key: &FileKey, family: &Family) -> Option<Holder> {
    let sub = family.sub.as_ref()?;
    Some(digest(key, &[tenant(family), &family.client_id, sub]))
}

fn tenant(family: &Family) -> &str {
    let tenant = family.tenant.as_ref().or(family.iss.as_ref());
    tenant.map(String::as_str).unwrap_or_default()
}

fn digest(key: &FileKey, names: &[&str]) -> Holder {
    let mut all = Vec::new();
    for name in names {
        all.extend_from_slice(&(name.len() as u64).to_le_bytes());
        all.extend_from_slice(name.as_bytes());
    }
    let digest = key.digest(&all);
    let mut holder = Holder::default();
    holder.copy_from_slice(&digest[..16]);
    holder
}
