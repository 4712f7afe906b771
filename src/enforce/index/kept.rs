//! What an index keeps with a token that is checked again and again.

use crate::{
    enforce::{table::Table, tag::Tag},
    introspect::{Introspection, MOST_SELECTORS, Numbers},
    log::SelectorClass,
};

/// The class of each selector, and the selector's place among those of this class.
const SELECTORS: [(SelectorClass, usize); MOST_SELECTORS] = [
    (SelectorClass::Token, 0),
    (SelectorClass::Grant, 0),
    (SelectorClass::Session, 0),
    (SelectorClass::SubjectAndClient, 0),
    (SelectorClass::Subject, 0),
    (SelectorClass::Client, 0),
    (SelectorClass::Key, 0),
    (SelectorClass::Key, 1),
    (SelectorClass::Issuer, 0),
];

/// The tags of a token, and whether they have been looked up.
///
/// A tag is a digest of a digest, which takes longer than a look-up. So it is made only once, and
/// only when there is a record of its class or when the token is watched.
pub(super) struct Kept<'a> {
    numbers: &'a Numbers,
    table: &'a Table,
    token: &'a Introspection,
}

impl<'a> Kept<'a> {
    /// `None` if the token is not for reuse, if this is its first check, and if another index keeps
    /// something with it. That index has other tags.
    pub(super) fn new(table: &'a Table, token: &'a Introspection) -> Option<Self> {
        let numbers = token.numbers(table.tagger_id())?;
        Some(Self {
            numbers,
            table,
            token,
        })
    }

    /// The tags of all selectors.
    pub(super) fn tags(&self) -> impl Iterator<Item = Tag> {
        (0..MOST_SELECTORS).filter_map(|place| self.make(place))
    }

    /// The class of the record that covers the token.
    pub(super) fn revoked_by(&self) -> Option<SelectorClass> {
        let table = self.table;
        let versions = table.versions();
        versions.check(&self.numbers.remembered, self.needed(), || {
            // In the order of the classes, as the selectors are.
            let covers = |tag: &Tag| table.has(tag.class()) && table.covers(*tag, self.token.iat);
            let mut tags = (0..MOST_SELECTORS).filter_map(|place| self.made(place));
            tags.find(covers).map(Tag::class)
        })
    }

    /// The tags that were made, and those of classes that have a record now.
    fn needed(&self) -> impl Iterator<Item = Tag> {
        (0..MOST_SELECTORS).filter_map(|place| match self.numbers.tags[place].get() {
            Some(made) => made.map(Tag),
            None if self.table.has(SELECTORS[place].0) => self.make(place),
            None => None,
        })
    }

    fn made(&self, place: usize) -> Option<Tag> {
        self.numbers.tags[place].get()?.map(Tag)
    }

    /// `None` if the token has no such selector.
    fn make(&self, place: usize) -> Option<Tag> {
        let tag = self.numbers.tags[place].get_or_init(|| {
            let (class, number) = SELECTORS[place];
            let selector = self.token.selectors_of(class).nth(number)?;
            Some(self.table.tag(&selector).0)
        });
        tag.map(Tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        introspect::TokenKind,
        log::{NumericDate, Revocation, Selector},
    };

    /// A token with all nine selectors, of which nothing is made yet.
    fn token() -> Introspection {
        let mut token = Introspection::new(TokenKind::AccessToken, "c1");
        token.token = Some(Selector::token("https://as.example.com", "1"));
        token.iss = Some("https://as.example.com".into());
        token.sub = Some("alice".into());
        token.grant = Some("g1".into());
        token.sid = Some("s1".into());
        token.cnf.jkt = Some([1; 32]);
        token.cnf.x5t_s256 = Some([2; 32]);
        token.iat = Some(NumericDate::new(1000));
        token
    }

    /// The same token in its second check by this table.
    fn checked(table: &Table, token: Introspection) -> Introspection {
        let token = token.for_reuse();
        assert!(Kept::new(table, &token).is_none());
        assert!(Kept::new(table, &token).is_some());
        token
    }

    fn revoked_by(table: &Table, token: &Introspection) -> Option<SelectorClass> {
        Kept::new(table, token).unwrap().revoked_by()
    }

    fn made(table: &Table, token: &Introspection) -> usize {
        let kept = Kept::new(table, token).unwrap();
        (0..MOST_SELECTORS)
            .filter_map(|place| kept.made(place))
            .count()
    }

    fn record(selector: Selector) -> Revocation {
        Revocation::watermark(selector, NumericDate::new(1000), NumericDate::new(5000))
    }

    #[test]
    fn tags_are_those_of_every_selector() {
        let table = Table::new();
        let (mut bare, mut one_key) = (token(), token());
        (bare.sub, bare.iss, bare.cnf.x5t_s256) = (None, None, None);
        one_key.cnf.jkt = None;
        for (token, selectors) in [(token(), 9), (bare, 5), (one_key, 8)] {
            let token = checked(&table, token);
            let expected: Vec<Tag> = token.selectors().map(|it| table.tag(&it)).collect();
            let tags: Vec<Tag> = Kept::new(&table, &token).unwrap().tags().collect();
            assert_eq!((tags.len(), tags), (selectors, expected));
        }
    }

    #[test]
    fn record_about_any_selector_covers_the_token() {
        for selector in token().selectors() {
            for is_watched in [false, true] {
                let table = Table::new();
                let tokens = [Some(1000), None, Some(1001)].map(|iat| {
                    let mut token = token();
                    token.iat = iat.map(NumericDate::new);
                    checked(&table, token)
                });
                for token in &tokens {
                    if is_watched {
                        let all = Kept::new(&table, token).unwrap().tags().count();
                        assert_eq!(all, MOST_SELECTORS);
                    }
                    assert_eq!(revoked_by(&table, token), None);
                }
                table.merge(&record(selector));
                let class = Some(selector.class());
                let found = tokens.map(|token| revoked_by(&table, &token));
                assert_eq!(found, [class, class, None]);
            }
        }
    }

    #[test]
    fn tags_are_made_when_their_class_gets_its_first_record() {
        let table = Table::new();
        let token = checked(&table, token());
        assert_eq!(revoked_by(&table, &token), None);
        assert_eq!(made(&table, &token), 0);
        table.merge(&record(Selector::grant("another")));
        assert_eq!(revoked_by(&table, &token), None);
        assert_eq!(made(&table, &token), 1);
        table.merge(&record(Selector::key(&[3; 32])));
        assert_eq!(revoked_by(&table, &token), None);
        assert_eq!(made(&table, &token), 3);
    }

    #[test]
    fn record_is_found_although_another_class_has_become_empty() {
        let table = Table::new();
        let token = checked(&table, token());
        let brief = Revocation::forever(Selector::grant("another"), NumericDate::new(2000));
        table.merge(&brief);
        table.merge(&record(Selector::session("another")));
        assert_eq!(revoked_by(&table, &token), None);
        // The counter of the grant must not leave the sum while that of the session grows.
        table.sweep(NumericDate::new(2000));
        assert!(!table.has(SelectorClass::Grant));
        table.merge(&record(Selector::session("s1")));
        assert_eq!(revoked_by(&table, &token), Some(SelectorClass::Session));
    }

    #[test]
    fn tags_are_of_one_table() {
        let (one, other) = (Table::new(), Table::new());
        let token = checked(&one, token());
        assert!(Kept::new(&other, &token).is_none());
    }
}
