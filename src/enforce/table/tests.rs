use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn date() -> impl Strategy<Value = NumericDate> {
    prop_oneof![
        (0..20u64).prop_map(|it| NumericDate::new(1000 + it)),
        Just(NumericDate::FOREVER),
        // Around the latest time that fits.
        (0..4u64).prop_map(|it| NumericDate::new(u64::from(u32::MAX) - 2 + it)),
    ]
}

fn record() -> impl Strategy<Value = Revocation> {
    (0..6u8, date(), date()).prop_map(|(name, not_before, expires)| {
        let selector = match name {
            0 | 1 => Selector::grant(&name.to_string()),
            2 | 3 => Selector::subject(&name.to_string()),
            _ => Selector::client(&name.to_string()),
        };
        Revocation::watermark(selector, not_before, expires)
    })
}

/// A time that does not fit into four bytes becomes "never".
fn rounded(moment: NumericDate) -> NumericDate {
    if moment.seconds() >= u64::from(u32::MAX) {
        NumericDate::FOREVER
    } else {
        moment
    }
}

#[derive(Default)]
struct Model(HashMap<Selector, Revocation>);

impl Model {
    fn merge(&mut self, record: Revocation) {
        let (not_before, expires) = (rounded(record.not_before()), rounded(record.expires()));
        let record = Revocation::watermark(record.selector(), not_before, expires);
        let known = self.0.entry(record.selector()).or_insert(record);
        *known = known.merge(record);
    }

    fn sweep(&mut self, now: NumericDate) {
        let live = |record: &Revocation| {
            record.expires() > now || record.expires() == NumericDate::FOREVER
        };
        self.0.retain(|_, record| live(record));
    }
}

proptest! {
    #[test]
    fn table_agrees_with_the_records_in_every_order(
        steps in prop::collection::vec((record(), prop::option::weighted(0.2, date())), 0..40),
        iat in date(),
    ) {
        let (table, mut model) = (Table::new(), Model::default());
        for (record, sweep) in &steps {
            table.merge(record);
            model.merge(*record);
            if let Some(now) = sweep {
                let before = model.0.len();
                model.sweep(*now);
                prop_assert_eq!(table.sweep(*now), before - model.0.len());
            }
        }
        prop_assert_eq!(table.len(), model.0.len());
        for class in SelectorClass::ALL {
            let known = model.0.keys().any(|selector| selector.class() == *class);
            prop_assert_eq!(table.has(*class), known);
        }
        for (record, _) in &steps {
            let selector = record.selector();
            let known = model.0.get(&selector);
            prop_assert_eq!(table.covers(table.tag(&selector), None), known.is_some());
            let covered = known.is_some_and(|known| known.covers(iat));
            prop_assert_eq!(table.covers(table.tag(&selector), Some(iat)), covered);
        }
        prop_assert!(!table.covers(table.tag(&Selector::session("1")), None));
    }
}

#[test]
fn memory_is_given_back_when_records_expire() {
    let table = Table::new();
    let empty = table.memory();
    for number in 0..100_000 {
        let selector = Selector::grant(&number.to_string());
        let expires = NumericDate::new(if number % 100 == 0 { 2000 } else { 1000 });
        table.merge(&Revocation::forever(selector, expires));
    }
    let full = table.memory();
    assert!(full > empty + 100_000 * 20);
    assert_eq!(table.sweep(NumericDate::new(1000)), 99_000);
    assert_eq!(table.len(), 1000);
    assert!(table.memory() < full / 8, "{} of {full}", table.memory());
    for number in (0..100_000).step_by(100) {
        assert!(table.covers(table.tag(&Selector::grant(&number.to_string())), None));
    }
}
