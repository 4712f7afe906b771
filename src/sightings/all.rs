//! All sightings of this process.

use std::{
    cmp::Reverse,
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper::{HeaderMap, http::Extensions};

use super::{
    Dropped, Sighting,
    observe::number,
    row::{Row, Source, identity},
    shard::{Added, Owner},
    sweeper,
    table::Table,
    visit::Visit,
};
use crate::{
    introspect::Introspection,
    log::{NumericDate, Selector},
};

/// The tokens that were used here: see [the module](super). Clones share them.
///
/// Noting a token again takes one lock, which readers share, of one of 64 parts of the table, and no
/// request waits for it. A thread removes what is over once a minute. It starts with the first sighting
/// and ends with the last clone.
#[derive(Clone)]
pub struct Sightings {
    table: Arc<Table>,
}

impl Sightings {
    /// Makes an empty table with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            table: Arc::new(Table::new()),
        }
    }

    /// Sets the most sightings of all subjects together. Defaults to 100,000. Clones share this
    /// setting.
    ///
    /// A million take 350 MB if each has a subject, a session and a grant of its own.
    #[must_use]
    pub fn capacity(self, sightings: usize) -> Self {
        self.table.capacity.store(sightings, Ordering::Relaxed);
        self
    }

    /// Sets the most sightings of one subject. Defaults to 100, and is at least 1. Clones share this
    /// setting.
    #[must_use]
    pub fn per_subject(self, sightings: usize) -> Self {
        let per_subject = &self.table.per_subject;
        per_subject.store(sightings.max(1), Ordering::Relaxed);
        self
    }

    /// Sets after which time without a use a sighting is removed, although its token has not expired.
    /// Defaults to 30 days. Clones share this setting.
    #[must_use]
    pub fn idle_after(self, time: Duration) -> Self {
        let idle_after = &self.table.idle_after;
        idle_after.store(time.as_secs(), Ordering::Relaxed);
        self
    }

    /// Notes that a request with this head has this token, which is live. It never waits for another
    /// request.
    ///
    /// The address of the client is [`ClientAddr`](crate::client::ClientAddr) in the extensions, or
    /// else [`PeerAddr`](crate::client::PeerAddr).
    ///
    /// [`SightingsLayer`](super::SightingsLayer) calls it for each request.
    pub fn note(&self, token: &Introspection, headers: &HeaderMap, extensions: &Extensions) {
        let (Some(subject), Some(identity)) = (token.sub.as_deref(), identity(token)) else {
            return;
        };
        let tenant = token.tenant.as_deref();
        let hash = self.table.hash(tenant, subject);
        let now = NumericDate::now();
        let visit = || Visit::of(headers, extensions);
        let is_known = self.table.try_read(hash).is_some_and(|part| {
            let group = part.group(hash, tenant, subject);
            let row = group.and_then(|group| group.row(&identity));
            row.inspect(|row| row.use_again(now, visit)).is_some()
        });
        if !is_known {
            if let Err(dropped) = self.add(token, subject, hash, &identity, visit(), now) {
                self.table.dropped.count(dropped);
            }
        }
    }

    /// Adds a row. The error is why the token, or another one of the subject, is not there.
    fn add(
        &self,
        token: &Introspection,
        subject: &str,
        hash: u64,
        identity: &Selector,
        visit: Visit,
        now: NumericDate,
    ) -> Result<(), Dropped> {
        let table = &self.table;
        let source = Source::of(token).ok_or(Dropped::Name)?;
        let mut part = table.try_write(hash).ok_or(Dropped::Busy)?;
        // Another request may have added it.
        let group = part.group(hash, source.tenant.as_deref(), subject);
        if let Some(row) = group.and_then(|group| group.row(identity)) {
            row.use_again(now, || visit);
            return Ok(());
        }
        let owner = Owner {
            hash,
            subject,
            hash_of_source: table.hash_of_source(&source),
            source,
        };
        let per_subject = table.per_subject.load(Ordering::Relaxed);
        let row = |source| Row::new(token, source, visit, identity, now);
        let added = part.add(owner, per_subject, table.period(now), row, || {
            table.reserve()
        });
        drop(part);
        match added {
            Added::More => sweeper::start(table),
            Added::InsteadOf(over) => table.gone(over - 1),
            Added::InsteadOfTheOldest(dropped) | Added::Not(dropped) => return Err(dropped),
        }
        number(self.len());
        Ok(())
    }

    /// Returns the sightings of a subject, the latest first use first.
    ///
    /// The tenant is that of the [introspection](crate::introspect::Claims::tenant). **Names are
    /// compared byte for byte.**
    #[must_use]
    pub fn of_subject(&self, tenant: Option<&str>, subject: &str) -> Vec<Sighting> {
        let hash = self.table.hash(tenant, subject);
        let period = self.table.period(NumericDate::now());
        let part = self.table.part(hash);
        let Some(group) = part.group(hash, tenant, subject) else {
            return Vec::new();
        };
        let rows = group.rows(period);
        let mut sightings: Vec<_> = rows.map(|row| group.sighting(row)).collect();
        drop(part);
        sightings.sort_by_key(|it| (Reverse(it.first_use), it.selector()));
        sightings
    }

    /// Returns since when this process notes tokens.
    #[must_use]
    pub fn since(&self) -> NumericDate {
        self.table.since
    }

    /// Returns the number of sightings, with those that are over and will be removed soon.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.rows.load(Ordering::Relaxed)
    }

    /// Returns whether there are no sightings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many tokens were not noted, or made room for others, for this reason.
    #[must_use]
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.table.dropped.of(reason)
    }

    /// Removes what is over at `now`: tokens that have expired, or that were not used for too long. A
    /// thread does this once a minute.
    pub fn sweep(&self, now: NumericDate) {
        self.table.sweep(now);
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }
}

impl Default for Sightings {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows numbers.
impl fmt::Debug for Sightings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sightings")
            .field("len", &self.len())
            .field("since", &self.since())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::introspect::TokenKind;

    fn note(sightings: &Sightings, session: &str) {
        let mut token = Introspection::new(TokenKind::AccessToken, "shop");
        token.sub = Some("alice".into());
        token.sid = Some(session.into());
        sightings.note(&token, &HeaderMap::new(), &Extensions::new());
    }

    #[test]
    fn request_waits_neither_for_readers_nor_for_writers() {
        let sightings = Sightings::new();
        let hash = sightings.table.hash(None, "alice");
        let reader = sightings.table.part(hash);
        note(&sightings, "s1");
        assert_eq!(sightings.dropped(Dropped::Busy), 1);
        drop(reader);
        let writer = sightings.table.try_write(hash);
        note(&sightings, "s1");
        assert_eq!(sightings.dropped(Dropped::Busy), 2);
        drop(writer);
        note(&sightings, "s1");
        assert_eq!(sightings.len(), 1);
        // Readers do not exclude each other.
        let reader = sightings.table.part(hash);
        note(&sightings, "s1");
        drop(reader);
        assert_eq!(sightings.dropped(Dropped::Busy), 2);
    }
}
