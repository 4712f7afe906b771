//! A token that is kept for several requests has the same verdicts as one that is introspected anew.

use std::time::{Duration, Instant};

use futures::executor::block_on;
use proptest::prelude::*;
use tower_revocation::{
    enforce::{EnforcementLayer, Index, Policy, Verdict, WhenUnknown},
    introspect::Introspection,
    log::{NumericDate, Revocation, Selector},
};

use crate::fixture::{ISSUER, Introspect, Known, RemoteLog, good, verdict, with_token};

/// What happens next. Times are in seconds from the start of the test.
#[derive(Clone, Debug)]
enum Step {
    /// A record comes: about a selector of all tokens, of one token, or of none.
    Record {
        about: usize,
        not_before: Option<i64>,
        expires: i64,
    },
    Sweep(i64),
    /// The log reports nothing for long, or reports again.
    Silence(bool),
    /// A token is introspected anew, so that its next checks are the first ones.
    Forget(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let time = || prop_oneof![-100..0_i64, 100..5000_i64];
    prop_oneof![
        4 => (0..SELECTORS, prop::option::of(time()), time())
            .prop_map(|(about, not_before, expires)| Step::Record { about, not_before, expires }),
        1 => time().prop_map(Step::Sweep),
        1 => any::<bool>().prop_map(Step::Silence),
        1 => (0..TOKENS).prop_map(Step::Forget),
    ]
}

const TOKENS: usize = 4;

fn at(start: NumericDate, seconds: i64) -> NumericDate {
    NumericDate::new(start.seconds().saturating_add_signed(seconds))
}

/// Tokens with all selectors, of which they share some. They are live, expired, without `iat` and
/// without `exp`.
fn token(start: NumericDate, number: usize) -> Introspection {
    let mut token = good();
    token.token = Some(Selector::token(ISSUER, &number.to_string()));
    token.grant = Some(format!("g{number}"));
    token.sid = Some(format!("s{}", number / 2));
    token.cnf.x5t_s256 = Some([2; 32]);
    token.iat = (number != 2).then(|| at(start, -50));
    token.exp = match number {
        1 => Some(at(start, -10)),
        3 => None,
        _ => Some(at(start, 3600)),
    };
    token
}

/// How many selectors there are: those of all tokens, and some of none.
const SELECTORS: usize = 18;

fn selector(about: usize) -> Selector {
    match about {
        0 => Selector::subject("alice"),
        1 => Selector::client("s6BhdRkqt3"),
        2 => Selector::subject_and_client("alice", "s6BhdRkqt3"),
        3 => Selector::issuer(ISSUER),
        4 | 5 => Selector::key(&[u8::try_from(about - 3).unwrap(); 32]),
        6 | 7 => Selector::session(&format!("s{}", about - 6)),
        8..13 => Selector::token(ISSUER, &(about - 8).to_string()),
        _ => Selector::grant(&format!("g{}", about - 13)),
    }
}

/// Layers that differ in what they do about a stale index, each with an introspection of its own.
fn layers(index: &Index, token: &Introspection) -> [EnforcementLayer<Introspect>; 3] {
    let layer = |policy: Policy| {
        let layer = EnforcementLayer::new(Known::with(token.clone()).service(), index.clone());
        layer.allow_missing_iat(true).policy(policy)
    };
    let when = |choice| Policy::new().when_unknown(choice);
    [
        layer(Policy::new().cut_streams(false)),
        layer(when(WhenUnknown::ServeStale {
            max: Duration::from_secs(3600),
        })),
        layer(when(WhenUnknown::Introspect)).confirm_by(Known::with(token.clone()).service()),
    ]
}

fn verdicts(index: &Index, token: &Introspection) -> Vec<Option<Verdict>> {
    let layers = layers(index, token);
    layers
        .iter()
        .map(|layer| block_on(verdict(layer, with_token())).1)
        .collect()
}

fn set_stale(index: &Index, is_stale: bool) {
    let limit = if is_stale {
        Duration::ZERO
    } else {
        Duration::from_secs(3600)
    };
    let _ = index.clone().stale_after(limit);
    let begun = Instant::now();
    // The resolution of its clock is one millisecond.
    while is_stale && index.readiness().is_ready() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the index stays fresh"
        );
        std::thread::yield_now();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn verdicts_are_those_of_a_new_introspection(steps in prop::collection::vec(step(), 0..40)) {
        let start = NumericDate::now();
        let log = RemoteLog::default();
        let index = Index::new();
        block_on(index.load(&log)).unwrap();
        // Has the tokens as well, but the first index keeps its work with them.
        let second = Index::new();
        block_on(second.load(&log)).unwrap();
        let kept = |number| token(start, number).for_reuse();
        let mut tokens: Vec<Introspection> = (0..TOKENS).map(kept).collect();
        let mut is_stale = false;
        for step in steps {
            match step {
                Step::Record { about, not_before, expires } => {
                    let expires = at(start, expires);
                    let record = match not_before {
                        Some(time) => Revocation::watermark(selector(about), at(start, time), expires),
                        None => Revocation::forever(selector(about), expires),
                    };
                    log.report(&[record]);
                }
                Step::Sweep(time) => {
                    index.sweep(at(start, time));
                    second.sweep(at(start, time));
                }
                Step::Silence(long) => is_stale = long,
                Step::Forget(number) => tokens[number] = kept(number),
            }
            set_stale(&index, is_stale);
            for (number, kept) in tokens.iter().enumerate() {
                let new = token(start, number);
                prop_assert_eq!(index.revoked_by(kept), index.revoked_by(&new));
                prop_assert_eq!(second.revoked_by(kept), second.revoked_by(&new));
                prop_assert_eq!(verdicts(&index, kept), verdicts(&index, &new));
                // As by a clock that goes ahead and back.
                for now in [-20, 20, 4000] {
                    let now = at(start, now);
                    prop_assert_eq!(index.is_live(kept, now), index.is_live(&new, now));
                }
            }
        }
    }
}
