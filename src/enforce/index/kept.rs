//! What an index keeps with a token that is checked again and again.

use crate::{
    enforce::{
        table::{Remembered, Table},
        tag::Tag,
    },
    introspect::Introspection,
    log::{NumericDate, SelectorClass},
};

/// The most selectors that a token has: one of each class, and two of keys.
const MOST: usize = SelectorClass::ALL.len() + 1;

/// The tags of a token, and whether they have been looked up. A tag is a digest of a digest, which
/// takes longer than a look-up.
///
/// They are of one index. Another one that has the same introspection computes its own each time.
pub(super) struct Kept {
    /// Whose tags these are.
    tagger: u64,
    remembered: Remembered,
    len: usize,
    tags: [Tag; MOST],
}

/// The docs of `Introspection::kept` state it.
const _: () = assert!(size_of::<Kept>() <= 256);

impl Kept {
    pub(super) fn new(table: &Table, token: &Introspection) -> Self {
        let mut kept = Self {
            tagger: table.tagger_id(),
            remembered: Remembered::default(),
            len: 0,
            tags: [Tag([0; 4]); MOST],
        };
        for selector in token.selectors() {
            kept.tags[kept.len] = table.tag(&selector);
            kept.len += 1;
        }
        kept
    }

    pub(super) fn is_of(&self, table: &Table) -> bool {
        self.tagger == table.tagger_id()
    }

    pub(super) fn tags(&self) -> &[Tag] {
        &self.tags[..self.len]
    }

    /// The class of the record that covers the token. `iat` is that of the token, each time.
    pub(super) fn revoked_by(
        &self,
        table: &Table,
        iat: Option<NumericDate>,
    ) -> Option<SelectorClass> {
        // In the order of the classes, as the selectors are.
        let covers = |tag: &&Tag| table.has(tag.class()) && table.covers(**tag, iat);
        let look_up = || self.tags().iter().find(covers).map(|tag| tag.class());
        let versions = table.versions();
        versions.check(&self.remembered, self.tags(), look_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        introspect::TokenKind,
        log::{Revocation, Selector},
    };

    /// A token with all nine selectors.
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

    #[test]
    fn tags_are_those_of_every_selector() {
        let table = Table::new();
        let token = token();
        let tags: Vec<Tag> = token.selectors().map(|it| table.tag(&it)).collect();
        assert_eq!(
            (tags.len(), Kept::new(&table, &token).tags()),
            (MOST, &*tags)
        );
    }

    #[test]
    fn record_about_any_selector_covers_the_token() {
        for selector in token().selectors() {
            let table = Table::new();
            let kept = Kept::new(&table, &token());
            assert_eq!(kept.revoked_by(&table, token().iat), None);
            table.merge(&Revocation::watermark(
                selector,
                NumericDate::new(1000),
                NumericDate::FOREVER,
            ));
            let class = Some(selector.class());
            assert_eq!(kept.revoked_by(&table, token().iat), class);
            assert_eq!(kept.revoked_by(&table, None), class);
            let later = Some(NumericDate::new(1001));
            assert_eq!(kept.revoked_by(&table, later), None);
        }
    }

    #[test]
    fn tags_are_of_one_table() {
        let (one, other) = (Table::new(), Table::new());
        let kept = Kept::new(&one, &token());
        assert!(kept.is_of(&one) && !kept.is_of(&other));
    }
}
