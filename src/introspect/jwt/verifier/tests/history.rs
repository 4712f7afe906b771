//! Whatever happens, a cache of any size changes no result and no fetch.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use tokio::{runtime::Builder, time::advance};

use super::*;

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A token is introspected.
    Ask(usize),
    /// The source publishes other keys, or is down.
    Publish(usize),
    /// Both clocks advance by this many seconds.
    Wait(u64),
    /// The wall clock is set to this many seconds after the start.
    SetClock(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..TOKENS.len()).prop_map(Step::Ask),
        2 => (0..SETS.len()).prop_map(Step::Publish),
        2 => prop_oneof![0..90u64, 500..700u64, Just(90_000)].prop_map(Step::Wait),
        1 => (0..8000u64).prop_map(Step::SetClock),
    ]
}

/// Three keys, of which two have the same name.
pub(super) static KEYS: LazyLock<[(TestIssuer, &str); 3]> =
    LazyLock::new(|| ["k1", "k1", "k2"].map(|kid| (issuer(), kid)));

pub(super) static BEGUN: LazyLock<NumericDate> = LazyLock::new(NumericDate::now);

/// The sets that the source publishes. It is down with the last one.
pub(super) static SETS: LazyLock<Vec<Option<KeySet>>> = LazyLock::new(|| {
    let [a, b, c] = KEYS.each_ref().map(|(issuer, kid)| (issuer, *kid));
    vec![
        Some(key_set([a, b, c])),
        Some(key_set([a])),
        Some(key_set([a])),
        Some(key_set([b])),
        Some(key_set([c])),
        Some(key_set([a, c])),
        Some(key_set([c, b])),
        None,
    ]
});

/// Tokens of each key, genuine, changed, forged, and of other kinds.
pub(super) static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let begun = BEGUN.seconds();
    let mut tokens = Vec::new();
    for (number, (issuer, kid)) in KEYS.iter().enumerate() {
        // Every selector that a token can have. Some are shared by all tokens of a key.
        let thumbprint = URL_SAFE_NO_PAD.encode([u8::try_from(number).unwrap(); 32]);
        let token = || {
            let token = issuer.token().kid(*kid).grant(format!("g{number}"));
            let token = token.session(format!("s{}", number / 2));
            let keys = json!({ "jkt": thumbprint, "x5t#S256": thumbprint });
            token.claim("cnf", keys)
        };
        let dated = |iat, lifetime| {
            let token = token().issued_at(NumericDate::new(iat));
            token.expires_in(Duration::from_secs(lifetime))
        };
        let long = dated(begun - 3600, 10_000_000);
        let genuine = long.sign();
        tokens.extend([
            // Keys that are fetched later than the leeway settle this one, and not the next.
            dated(begun - 3600, 3600 + 600).sign(),
            dated(begun, 4000).sign(),
            dated(begun - 3600, 60).sign(),
            dated(begun + 1000, 4000).sign(),
            long.clone().kid(None).sign(),
            long.clone().kid("k3").sign(),
            long.clone().forged().sign(),
            long.clone().audience("https://other.test").sign(),
            long.clone().without("exp").sign(),
            genuine[..genuine.len() - 1].to_owned(),
            genuine.replacen('.', "A.", 1),
            genuine,
        ]);
    }
    tokens
});

/// Everything about an outcome.
fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(introspected) => {
            let json = introspected.token().map(|token| token.json().unwrap());
            format!("{introspected:?} {json:?}")
        }
        Err(error) => format!(
            "{:?} {:?} {:?}",
            error.kind(),
            error.not_valid_now(),
            error.retry_after()
        ),
    }
}

async fn replay(steps: Vec<Step>) {
    let sizes = [0, 2, 10_000];
    let worlds = sizes.map(|size| {
        let source = FakeSource::new(SETS[0].clone().unwrap(), Duration::from_secs(600));
        let tokens = fetched(&source).cache_capacity(size);
        (source, tokens)
    });
    let mut now = *BEGUN;
    NOW.set(Some(now));
    for step in &steps {
        match *step {
            Step::Ask(token) => {
                let mut outcomes = Vec::new();
                for (source, tokens) in &worlds {
                    let (outcome, verified) = ask(tokens, &TOKENS[token]).await;
                    outcomes.push((shown(&outcome), source.fetches(), verified));
                }
                for (outcome, fetches, verified) in &outcomes {
                    assert_eq!((outcome, fetches), (&outcomes[0].0, &outcomes[0].1));
                    assert!(*verified <= outcomes[0].2);
                }
            }
            Step::Publish(set) => {
                for (source, _) in &worlds {
                    source.publishes(SETS[set].clone());
                }
            }
            Step::Wait(seconds) => {
                now = now + Duration::from_secs(seconds);
                NOW.set(Some(now));
                advance(Duration::from_secs(seconds)).await;
            }
            Step::SetClock(seconds) => {
                now = *BEGUN + Duration::from_secs(seconds);
                NOW.set(Some(now));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cache_changes_no_result_and_no_fetch(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(replay(steps));
    }
}
