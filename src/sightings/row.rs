//! What is kept of one token.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

use super::{shard::Period, visit::Visit};
use crate::{
    introspect::Introspection,
    log::{NumericDate, Selector, SelectorClass},
};

/// A longer name is not kept.
const MAX_NAME: usize = 255;

/// Who issued a token, and to which client. Many tokens share it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Source {
    pub(super) tenant: Option<Box<str>>,
    pub(super) iss: Option<Box<str>>,
    pub(super) client_id: Box<str>,
}

/// A token that was seen.
#[derive(Debug)]
pub(super) struct Row {
    /// The beginning of the first selector, to find the row.
    tag: u64,
    /// The token itself, its session, its grant: those that there are, in this order. Then what else
    /// revokes it and has no name here: the grants of its ancestors and its keys.
    pub(super) selectors: Box<[Selector]>,
    pub(super) source: Arc<Source>,
    /// 0 if it is unknown.
    iat: u32,
    /// `u32::MAX` if it does not expire.
    exp: u32,
    first_use: u32,
    last_use: AtomicU32,
    /// A [`Visit`].
    visit: AtomicU64,
    /// Whether the grant is that of the token and not of an ancestor.
    pub(super) has_grant: bool,
}

/// The selector by which a token is found again. `None` if it is not noted.
pub(super) fn identity(token: &Introspection) -> Option<Selector> {
    let classes = [
        SelectorClass::Token,
        SelectorClass::Session,
        SelectorClass::Grant,
    ];
    classes.into_iter().find_map(|class| of_class(token, class))
}

fn of_class(token: &Introspection, class: SelectorClass) -> Option<Selector> {
    if class == SelectorClass::Grant && token.grant.is_none() {
        return None;
    }
    token.selectors_of(class).next()
}

impl Source {
    /// `None` if a name is too long.
    pub(super) fn of(token: &Introspection) -> Option<Self> {
        let names = [&token.tenant, &token.iss, &token.sub];
        let mut names = names.into_iter().flatten().chain([&token.client_id]);
        names
            .all(|name| name.len() <= MAX_NAME)
            .then(|| Self::of_any_length(token))
    }

    /// For a row that is not kept.
    pub(super) fn of_any_length(token: &Introspection) -> Self {
        Self {
            tenant: token.tenant.as_deref().map(Into::into),
            iss: token.iss.as_deref().map(Into::into),
            client_id: token.client_id.as_str().into(),
        }
    }
}

impl Row {
    pub(super) fn new(
        token: &Introspection,
        source: Arc<Source>,
        visit: Visit,
        identity: &Selector,
        now: NumericDate,
    ) -> Self {
        let mut selectors = Vec::with_capacity(3);
        for class in [SelectorClass::Token, SelectorClass::Session] {
            selectors.extend(token.selectors_of(class));
        }
        // The first one is that of the token, if it has a grant.
        selectors.extend(token.selectors_of(SelectorClass::Grant));
        selectors.extend(token.selectors_of(SelectorClass::Key));
        let used = seconds(now);
        Self {
            tag: tag(identity),
            selectors: selectors.into(),
            source,
            iat: token.iat.map_or(0, seconds),
            exp: token.exp.map_or(u32::MAX, seconds),
            first_use: used,
            last_use: AtomicU32::new(used),
            visit: AtomicU64::new(visit.to_bits()),
            has_grant: token.grant.is_some(),
        }
    }

    pub(super) fn is_of(&self, identity: &Selector) -> bool {
        self.tag == tag(identity) && self.selectors.first() == Some(identity)
    }

    /// Notes another use. The head of the request is read once a second.
    pub(super) fn use_again(&self, now: NumericDate, visit: impl FnOnce() -> Visit) {
        let now = seconds(now);
        if self.last_use.load(Ordering::Relaxed) >= now {
            return;
        }
        self.last_use.store(now, Ordering::Relaxed);
        let visit = visit().to_bits();
        if self.visit.load(Ordering::Relaxed) != visit {
            self.visit.store(visit, Ordering::Relaxed);
        }
    }

    /// Whether the token has expired, or was not used for too long.
    pub(super) fn is_over(&self, period: Period) -> bool {
        self.exp <= seconds(period.now)
            || self.last_use.load(Ordering::Relaxed) < seconds(period.used_since)
    }

    pub(super) fn visit(&self) -> Visit {
        Visit::from_bits(self.visit.load(Ordering::Relaxed))
    }

    pub(super) fn iat(&self) -> Option<NumericDate> {
        (self.iat > 0).then(|| date(self.iat))
    }

    pub(super) fn exp(&self) -> Option<NumericDate> {
        (self.exp < u32::MAX).then(|| date(self.exp))
    }

    pub(super) fn first_use(&self) -> NumericDate {
        date(self.first_use)
    }

    pub(super) fn last_use(&self) -> NumericDate {
        date(self.last_use.load(Ordering::Relaxed))
    }
}

fn tag(selector: &Selector) -> u64 {
    let bytes = selector.to_bytes();
    let [_, tag @ ..] = *bytes.first_chunk::<9>().unwrap_or(&[0; 9]);
    u64::from_be_bytes(tag)
}

/// Seconds since 1970, until the year 2106.
fn seconds(date: NumericDate) -> u32 {
    u32::try_from(date.seconds()).unwrap_or(u32::MAX)
}

fn date(seconds: u32) -> NumericDate {
    NumericDate::new(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{introspect::TokenKind, sightings::Browser};

    const NOWHERE: Visit = Visit {
        browser: Browser::Other,
        network: None,
    };

    fn row(exp: Option<u64>) -> Row {
        let mut token = Introspection::new(TokenKind::AccessToken, "shop");
        token.sid = Some("s1".into());
        token.exp = exp.map(NumericDate::new);
        let source = Source::of(&token).map(Arc::new).unwrap();
        let identity = identity(&token).unwrap();
        Row::new(&token, source, NOWHERE, &identity, NumericDate::new(1000))
    }

    #[test]
    fn head_is_read_once_a_second() {
        let row = row(None);
        let firefox = Visit {
            browser: Browser::Firefox,
            network: None,
        };
        row.use_again(NumericDate::new(1000), || unreachable!());
        row.use_again(NumericDate::new(999), || unreachable!());
        row.use_again(NumericDate::new(1001), || firefox);
        row.use_again(NumericDate::new(1001), || unreachable!());
        assert_eq!((row.visit(), row.last_use().seconds()), (firefox, 1001));
        assert_eq!(row.first_use().seconds(), 1000);
    }

    #[test]
    fn dates_that_do_not_exist_or_are_far_away_are_unknown() {
        let far = [None, Some(u64::from(u32::MAX)), Some(u64::MAX)];
        assert!(far.into_iter().all(|exp| row(exp).exp().is_none()));
        assert_eq!(row(Some(2000)).exp(), Some(NumericDate::new(2000)));
        assert_eq!(row(None).iat(), None);
    }

    #[test]
    fn row_is_small() {
        assert_eq!(size_of::<Row>(), 64);
    }
}
