//! The index is exact, in every order of records, and never late.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use futures::executor::block_on;
use proptest::prelude::*;
use tower_revocation::{
    enforce::{EnforcementLayer, Index, Verdict},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Position, Revocation, RevocationLog, Selector},
};

use crate::fixture::{Known, RemoteLog, forever, good, verdict, with_token};

/// A token from small numbers, so that tokens share selectors.
fn token((grant, subject, client): (u8, u8, u8), iat: u64) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, format!("c{client}"));
    token.token = Some(Selector::token(
        "https://as.example.com",
        &format!("{grant}-{iat}"),
    ));
    token.grant = Some(format!("g{grant}"));
    token.sub = Some(format!("s{subject}"));
    token.iat = Some(NumericDate::new(iat));
    token
}

fn selector() -> impl Strategy<Value = Selector> {
    prop_oneof![
        (0..4u8).prop_map(|it| Selector::grant(&format!("g{it}"))),
        (0..4u8).prop_map(|it| Selector::subject(&format!("s{it}"))),
        (0..4u8).prop_map(|it| Selector::client(&format!("c{it}"))),
        (0..4u8, 0..4u8).prop_map(|(sub, client)| {
            Selector::subject_and_client(&format!("s{sub}"), &format!("c{client}"))
        }),
        (0..4u8, 1000..1010u64).prop_map(|(grant, iat)| Selector::token(
            "https://as.example.com",
            &format!("{grant}-{iat}")
        )),
    ]
}

fn record() -> impl Strategy<Value = Revocation> {
    (selector(), prop_oneof![Just(u64::MAX), 995..1015u64]).prop_map(|(selector, not_before)| {
        Revocation::watermark(selector, NumericDate::new(not_before), NumericDate::FOREVER)
    })
}

/// Whether one of the records covers the token, by a linear search.
fn covered(records: &[Revocation], token: &Introspection) -> bool {
    token.selectors().any(|selector| {
        let about = records
            .iter()
            .filter(|record| record.selector() == selector);
        about
            .into_iter()
            .any(|record| record.covers(token.iat.unwrap()))
    })
}

fn follow(log: &MemoryLog) -> Index {
    block_on(Index::follow(log)).unwrap()
}

fn append(log: &MemoryLog, records: Vec<Revocation>) -> Position {
    block_on(log.append(records)).unwrap()
}

proptest! {
    #[test]
    fn neither_order_nor_duplicates_nor_replays_change_a_verdict(
        records in prop::collection::vec(record(), 0..30),
        shuffled in any::<prop::sample::Index>(),
        (who, iat) in ((0..4u8, 0..4u8, 0..4u8), 1000..1010u64),
    ) {
        let token = token(who, iat);
        let expected = covered(&records, &token);
        let mut other = records.clone();
        if !other.is_empty() {
            let by = shuffled.index(other.len());
            other.rotate_left(by);
            other.reverse();
        }
        // Some come with the snapshot and the rest by the tail. Then all of them come again.
        let log = RemoteLog::default();
        let (before, after) = other.split_at(other.len() / 2);
        log.report(before);
        let index = Index::new();
        block_on(index.load(&log)).unwrap();
        for record in after {
            log.report(&[*record]);
        }
        log.report(&records);
        prop_assert_eq!(index.covers(&token), expected);
        block_on(index.load(&log)).unwrap();
        prop_assert_eq!(index.covers(&token), expected);
    }

    #[test]
    fn one_batch_and_many_have_the_same_effect(records in prop::collection::vec(record(), 0..30)) {
        let (one, many) = (MemoryLog::new(), MemoryLog::new());
        let (index_of_one, index_of_many) = (follow(&one), follow(&many));
        append(&one, records.clone());
        for record in &records {
            append(&many, vec![*record]);
        }
        prop_assert_eq!(index_of_one.len(), index_of_many.len());
        for grant in 0..4 {
            let token = token((grant, 1, 2), 1005);
            prop_assert_eq!(index_of_one.revoked_by(&token), index_of_many.revoked_by(&token));
            prop_assert_eq!(index_of_one.covers(&token), covered(&records, &token));
        }
    }
}

#[test]
fn hundred_thousand_records_revoke_no_other_token() {
    let log = MemoryLog::new();
    let index = follow(&log);
    let name = |number: u32| Selector::grant(&number.to_string());
    let revoked = (0..100_000)
        .step_by(2)
        .flat_map(|number| forever(name(number)));
    append(&log, revoked.collect());
    assert_eq!(index.len(), 50_000);
    for number in 0..100_000 {
        let covers = index.covers_selector(&name(number), Some(NumericDate::new(1000)));
        assert_eq!(covers, number % 2 == 0, "{number}");
    }
}

/// A million lookups while records are appended: once an append has returned, its record is found.
#[test]
fn no_token_is_accepted_after_its_append_returned() {
    const TRIES: u64 = 1_000_000;
    const READERS: u64 = 64;

    let log = MemoryLog::new();
    let index = follow(&log);
    let name = |number: u64| Selector::grant(&number.to_string());
    let appended = AtomicU64::new(0);
    let read = &|reader: u64| {
        let iat = Some(NumericDate::new(1000));
        let mut tries = 0;
        while tries < TRIES / READERS {
            let appended = appended.load(Ordering::Acquire);
            if appended > 0 {
                let newest = appended - 1;
                let other = (tries.wrapping_mul(0x9e37_79b9) + reader) % appended;
                assert!(index.covers_selector(&name(newest), iat), "{newest}");
                assert!(index.covers_selector(&name(other), iat), "{other}");
                tries += 1;
            } else {
                thread::yield_now();
            }
        }
    };
    thread::scope(|scope| {
        let readers = (0..READERS).map(|reader| scope.spawn(move || read(reader)));
        let readers: Vec<_> = readers.collect();
        let mut number = 0;
        while readers.iter().any(|reader| !reader.is_finished()) {
            append(&log, forever(name(number)));
            number += 1;
            appended.store(number, Ordering::Release);
        }
    });
}

#[test]
fn expired_records_are_swept_and_live_ones_are_not() {
    let log = MemoryLog::new();
    let index = follow(&log);
    let at = |selector, expires| Revocation::forever(selector, NumericDate::new(expires));
    append(
        &log,
        vec![
            at(Selector::grant("a"), 1000),
            at(Selector::grant("b"), 2000),
        ],
    );
    index.sweep(NumericDate::new(999));
    assert_eq!(index.len(), 2);
    index.sweep(NumericDate::new(1000));
    assert_eq!(index.len(), 1);
    assert!(index.covers_selector(&Selector::grant("b"), None));
    assert!(!index.covers_selector(&Selector::grant("a"), None));
}

#[test]
fn position_is_that_of_the_log() {
    let log = MemoryLog::new();
    let index = follow(&log);
    assert_eq!(index.position(), append(&log, vec![]));
    let position = append(&log, forever(Selector::grant("g1")));
    assert_eq!(index.position(), position);
    assert_eq!(follow(&log).position(), position);
}

#[test]
fn debug_output_has_no_selector() {
    let log = MemoryLog::new();
    let index = follow(&log);
    append(&log, forever(Selector::grant("g1")));
    assert!(index.covers(&good()));
    let debug = format!("{index:?}");
    assert!(debug.contains("len: 1") && !debug.contains("g1"), "{debug}");
}

#[tokio::test]
async fn clock_that_jumps_ahead_and_back_revives_no_token() {
    let (token, now) = (good(), NumericDate::now());
    let exp = token.exp.unwrap();
    for selector in [token.token.unwrap(), Selector::grant("g1")] {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let record = Revocation::forever(selector, exp + Duration::from_secs(60));
        log.append(vec![record]).await.unwrap();
        assert!(!index.is_live(&token, now));

        // The clock is a day ahead for one sweep.
        index.sweep(now + Duration::from_secs(24 * 3600));

        assert_eq!(index.len(), 0);
        assert!(!index.is_live(&token, now));
        // A token that expires after every forgotten record is still live.
        let mut later = good();
        later.exp = Some(exp + Duration::from_secs(61));
        assert!(index.is_live(&later, now));
    }
}

#[tokio::test]
async fn state_of_a_token_whose_record_may_be_forgotten_is_unknown() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let layer = EnforcementLayer::new(Known::with(good()).service(), index.clone());
    assert_eq!(verdict(&layer, with_token()).await.1, None);
    let (now, exp) = (NumericDate::now(), good().exp.unwrap());
    let record = Revocation::forever(Selector::grant("g2"), exp);
    log.append(vec![record]).await.unwrap();
    index.sweep(now);
    assert_eq!(verdict(&layer, with_token()).await.1, None);

    index.sweep(exp + Duration::from_secs(1));

    let unknown = Some(Verdict::Unknown);
    assert_eq!(verdict(&layer, with_token()).await.1, unknown);
}
