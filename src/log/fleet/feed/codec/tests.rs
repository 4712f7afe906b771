//! What is written is read, and nothing else.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{super::tests, *};

const LEASES: Leases = Leases {
    longest: Duration::from_secs(5),
    shortest: Duration::from_secs(2),
};

fn pages() -> impl Strategy<Value = Page> {
    let numbers = any::<[u64; 5]>();
    let history = prop::sample::select(vec![History::Same, History::Swept, History::Other]);
    let record = any::<[u64; 3]>().prop_map(|[name, from, to]| {
        let selector = Selector::grant(&name.to_string());
        Revocation::watermark(selector, NumericDate::new(from), NumericDate::new(to))
    });
    (numbers, any::<[bool; 4]>(), history, vec(record, 0..50)).prop_map(
        |([incarnation, sequence, mark, age, forgotten], flags, history, records)| Page {
            incarnation: Incarnation(incarnation),
            history,
            upto: Cursor { sequence, mark },
            records,
            more: flags[0],
            forgotten: NumericDate::new(forgotten),
            membership: Membership {
                was_listed: flags[1],
                barrier: flags[2],
                report_wanted: flags[3],
                members: Vec::new(),
            },
            age: Duration::from_millis(age),
            ..tests::page(0, 0)
        },
    )
}

fn written(page: &Page, leases: Leases) -> Bytes {
    let records: Vec<_> = page.records.iter().map(pack).collect();
    encode(page, leases, &records)
}

proptest! {
    #[test]
    fn answer_is_read_as_it_was_written(page in pages(), leases: [u32; 2]) {
        let [longest, shortest] = leases.map(|lease| Duration::from_millis(lease.into()));
        let leases = Leases { longest, shortest };
        let bytes = written(&page, leases);
        prop_assert!(bytes.len() <= LONGEST_ANSWER);
        prop_assert_eq!(format!("{:?}", decode(&bytes).unwrap()), format!("{:?}", (page, leases)));
    }

    #[test]
    fn cut_answer_is_refused(page in pages(), cut: Index) {
        let bytes = written(&page, LEASES);
        let cut = cut.index(bytes.len());
        prop_assert!(decode(&bytes[..cut]).is_err());
    }

    #[test]
    fn garbage_after_a_good_beginning_is_no_answer(kept in 0..60_usize, garbage in vec(any::<u8>(), 0..400)) {
        let mut bytes = written(&tests::page(0, 0), LEASES).to_vec();
        bytes.truncate(kept);
        bytes.extend(garbage);
        if let Ok((page, _)) = decode(&bytes) {
            prop_assert_eq!(bytes.len(), HEAD + page.records.len() * RECORD);
        }
    }
}

#[test]
fn age_is_rounded_up() {
    let age = |age: Duration| {
        let page = Page {
            age,
            ..tests::page(0, 0)
        };
        decode(&encode(&page, LEASES, &[])).unwrap().0.age
    };
    assert_eq!(age(Duration::from_nanos(1)), Duration::from_millis(1));
    assert_eq!(age(Duration::from_millis(7)), Duration::from_millis(7));
    // Never relied on.
    assert_eq!(age(Duration::MAX), Duration::from_millis(u64::MAX));
}

#[test]
fn what_a_later_version_says_is_refused() {
    let bytes = encode(&tests::page(0, 0), LEASES, &[[0xff; RECORD]]);
    assert_eq!(decode(&bytes).unwrap_err(), Broken::Newer);
    let mut version = encode(&tests::page(0, 0), LEASES, &[]).to_vec();
    version[3] = 2;
    assert_eq!(decode(&version).unwrap_err(), Broken::Newer);
    let mut flags = encode(&tests::page(0, 0), LEASES, &[]).to_vec();
    flags[HEAD - 4] = 1;
    assert_eq!(decode(&flags).unwrap_err(), Broken::Newer);
}
