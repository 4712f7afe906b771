//! What the journal contains about an order.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::{Caller, OrderTarget, Receipt, RevocationOrder, TrailEntry, TrailTarget};
use crate::{log::JournalEntry, token::Secret};

/// The content of an entry of the journal, as JSON. Members that are added later have a default, so
/// that older entries can be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in super::super) struct Entry {
    /// A part of the identifier. After a restore of an older journal, a place is used again: the
    /// identifier of a lost order must not name another one.
    pub(in super::super) tag: u32,
    /// What is shown. Its identifier is empty, because the place is not known before the entry is
    /// written.
    pub(in super::super) shown: TrailEntry,
    /// The digest of the request, if it has an `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) request: Option<[u8; 32]>,
    /// What issuers have to be told, and what they were told: `notify` reads and writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) deliveries: Option<serde_json::Value>,
}

pub(in super::super) const REVOKED: &str = "revoked";
pub(in super::super) const FAILED: &str = "failed";
pub(in super::super) const UNKNOWN: &str = "unknown";

impl Entry {
    /// The entry of an order that is not carried out yet.
    pub(in super::super) fn new(order: &RevocationOrder, caller: &Caller, now: u64) -> Self {
        let shown = TrailEntry {
            ordered: now,
            actor: caller.name().to_owned(),
            role: caller.role().as_str().to_owned(),
            target: TrailTarget::of(&order.target),
            issuer: order.issuer.clone(),
            reason: order.reason.clone(),
            before: order.before,
            outcome: UNKNOWN.to_owned(),
            ..TrailEntry::default()
        };
        let mut tag = [0; 4];
        getrandom::fill(&mut tag).expect("the operating system has random numbers");
        Self {
            tag: u32::from_le_bytes(tag),
            shown,
            request: None,
            deliveries: None,
        }
    }

    /// Reads the content of an entry of the journal. `None` if it is of no order.
    pub(in super::super) fn read(entry: &JournalEntry) -> Option<Self> {
        serde_json::from_slice(&entry.content).ok()
    }

    pub(in super::super) fn content(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The identifier of the entry at this place.
    pub(in super::super) fn id(&self, place: u64) -> String {
        format!("{place}-{:08x}", self.tag)
    }

    /// What is shown of the entry at this place.
    pub(in super::super) fn into_shown(mut self, place: u64) -> TrailEntry {
        self.shown.id = self.id(place);
        if let Some(receipt) = &mut self.shown.receipt {
            receipt.id = Some(self.shown.id.clone());
            self.shown
                .refresh_tokens
                .clone_from(&receipt.refresh_tokens);
        }
        #[cfg(feature = "notify")]
        super::notices::show(self.deliveries, &mut self.shown);
        self.shown
    }

    /// What the sender was told, if the order has been carried out.
    pub(in super::super) fn receipt(&self, place: u64) -> Option<Receipt> {
        let mut receipt = self.shown.receipt.clone()?;
        receipt.id = Some(self.id(place));
        Some(receipt)
    }
}

impl TrailTarget {
    fn of(target: &OrderTarget) -> Self {
        let fingerprint = |name: &Option<String>| name.as_deref().map(fingerprint);
        Self {
            subject: target.subject.clone(),
            client: target.client.clone(),
            session: fingerprint(&target.session),
            grant: fingerprint(&target.grant),
            jti: fingerprint(&target.jti),
            token: target
                .token
                .as_ref()
                .map(Secret::expose)
                .map(self::fingerprint),
            key: target.key.clone(),
            issuer: target.issuer.clone(),
            handle: fingerprint(&target.handle),
        }
    }
}

/// Whoever has the name can compute it: see [`TrailTarget`].
pub(in super::super) fn fingerprint(name: &str) -> String {
    let digest = Sha256::digest(name);
    let first: [u8; 8] = std::array::from_fn(|at| digest[at]);
    format!("{:016x}", u64::from_be_bytes(first))
}

/// The place that an identifier names, and the tag that the entry must have.
pub(in super::super) fn parse_id(id: &str) -> Option<(u64, u32)> {
    let (place, tag) = id.split_once('-')?;
    let parsed = (place.parse().ok()?, u32::from_str_radix(tag, 16).ok()?);
    // One entry has one identifier: no sign, and no leading zero.
    (id == format!("{}-{:08x}", parsed.0, parsed.1)).then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifier_has_one_form() {
        assert_eq!(parse_id("7-0000abcd"), Some((7, 0xabcd)));
        for id in [
            "",
            "7",
            "7-",
            "-0000abcd",
            "+7-0000abcd",
            "07-0000abcd",
            "7-abcd",
        ] {
            assert_eq!(parse_id(id), None, "{id}");
        }
        for id in [
            "7-0000ABCD",
            "7-0000abcd-",
            "7-0000abcd ",
            "99999999999999999999-0000abcd",
        ] {
            assert_eq!(parse_id(id), None, "{id}");
        }
    }

    #[test]
    fn fingerprint_is_the_documented_one() {
        // printf %s test | sha256sum | cut -c1-16
        assert_eq!(fingerprint("test"), "9f86d081884c7d65");
    }

    #[test]
    fn entry_of_an_older_version_is_read() {
        let older = JournalEntry::new(
            7,
            0,
            br#"{"tag":1,"shown":{"ordered":5,"actor":"root","outcome":"unknown","later":1},"more":{}}"#
                .to_vec(),
            None,
        );
        let entry = Entry::read(&older).unwrap();
        assert_eq!(
            (entry.id(7), entry.shown.ordered),
            ("7-00000001".to_owned(), 5)
        );
        let other = JournalEntry::new(8, 0, b"{}".to_vec(), None);
        assert!(Entry::read(&other).is_none());
    }
}
