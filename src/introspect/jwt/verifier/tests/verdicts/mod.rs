//! Whatever happens, a cache of any size changes no verdict.
//!
//! An index keeps the tags of a token and the sum of their counters only with a cached token. So
//! without a cache there is neither.

mod world;

use std::{sync::LazyLock, time::Instant};

use futures::executor::block_on;
use proptest::prelude::*;
use tokio::{runtime::Builder, time::advance};

use self::world::{INDEXES, LAYERS, Remote, World};
use super::{
    history::{BEGUN, SETS, TOKENS},
    *,
};
use crate::{
    enforce::Index,
    log::{MemoryLog, Revocation, RevocationLog as _, Selector, SelectorClass},
};

/// What happens. Times are in seconds after the start, most of them around the times of the tokens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A request with a token arrives at one of the layers.
    Ask { token: usize, layer: usize },
    /// The source publishes other keys, or is down.
    Publish(usize),
    /// The keys of another issuer are fetched, so that those of this one are no longer cached.
    Evict,
    /// A record of some class comes, which covers some tokens or none.
    Record {
        class: usize,
        number: usize,
        not_before: Option<i64>,
        expires: i64,
    },
    /// An index removes what has expired at this time.
    Sweep { index: usize, at: i64 },
    /// The log reports nothing for long, or reports again.
    Silence(bool),
    /// Both clocks advance by this many seconds.
    Wait(u64),
    /// The wall clock is set to this many seconds after the start.
    SetClock(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let record = (
        0..SelectorClass::ALL.len(),
        any::<usize>(),
        prop::option::weighted(0.8, -4500..1500_i64),
        0..9000_i64,
    );
    let record = record.prop_map(|(class, number, not_before, expires)| Step::Record {
        class,
        number,
        not_before,
        expires,
    });
    let token = prop_oneof![9 => prop::sample::select(live()), 1 => 0..TOKENS.len()];
    let ask = (token, 0..LAYERS);
    prop_oneof![
        24 => ask.prop_map(|(token, layer)| Step::Ask { token, layer }),
        2 => (0..SETS.len()).prop_map(Step::Publish),
        1 => Just(Step::Evict),
        2 => record,
        2 => (0..INDEXES, 0..9000_i64).prop_map(|(index, at)| Step::Sweep { index, at }),
        1 => any::<bool>().prop_map(Step::Silence),
        2 => prop_oneof![0..90_u64, 500..700_u64].prop_map(Step::Wait),
        1 => (0..5000_u64).prop_map(Step::SetClock),
    ]
}

/// What the tokens are while the source has all keys.
static GENUINE: LazyLock<Vec<Option<Introspection>>> = LazyLock::new(|| {
    let tokens = long_lived(SETS[0].clone().unwrap());
    let introspect = |text: &String| {
        let introspected = tokens.clone().oneshot(Secret::new(&**text));
        block_on(introspected).ok()?.into_token()
    };
    TOKENS.iter().map(introspect).collect()
});

/// The tokens that are live at the start.
fn live() -> Vec<usize> {
    let is_live = |place: &usize| {
        let token = GENUINE[*place].as_ref();
        token.is_some_and(|token| !token.is_expired(*BEGUN) && token.iat <= Some(*BEGUN))
    };
    (0..TOKENS.len()).filter(is_live).collect()
}

/// By class: the selectors of all tokens, and one of no token.
static SELECTORS: LazyLock<Vec<Vec<Selector>>> = LazyLock::new(|| {
    let of_class = |class: &SelectorClass| {
        let mut other = [9; 33];
        other[0] = *class as u8;
        let tokens = GENUINE.iter().flatten();
        let of_tokens = tokens.flat_map(|token| token.selectors_of(*class));
        let mut selectors: Vec<_> = of_tokens.collect();
        selectors.push(Selector::from_bytes(&other).unwrap());
        selectors.sort();
        selectors.dedup();
        selectors
    };
    SelectorClass::ALL.iter().map(of_class).collect()
});

fn after_start(seconds: i64) -> NumericDate {
    NumericDate::new(BEGUN.seconds().saturating_add_signed(seconds))
}

/// A limit of zero makes an index stale as soon as its clock has moved on.
fn set_stale(index: &Index, is_stale: bool) {
    let limit = if is_stale { Duration::ZERO } else { HOUR };
    let _ = index.clone().stale_after(limit);
    let begun = Instant::now();
    while is_stale && index.readiness().is_ready() {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(60), "the index stays fresh");
        std::thread::yield_now();
    }
}

async fn replay(steps: Vec<Step>) {
    let log = Remote(MemoryLog::new());
    let indexes = [Index::new(), Index::new().stale_after(HOUR)];
    for index in &indexes {
        index.load(&log).await.unwrap();
    }
    let worlds = [0, 2, 10_000].map(|size| World::new(size, &indexes));
    let (mut now, mut is_silent) = (*BEGUN, false);
    NOW.set(Some(now));
    for step in &steps {
        match *step {
            Step::Ask { token, layer } => {
                set_stale(&indexes[0], is_silent);
                let mut answers = Vec::new();
                for world in &worlds {
                    answers.push(world.ask(layer, &TOKENS[token]).await);
                }
                for answer in &answers {
                    assert_eq!(answer.told(), answers[0].told());
                    assert!(answer.verified <= answers[0].verified);
                }
            }
            Step::Publish(set) => {
                for world in &worlds {
                    world.source.publishes(SETS[set].clone());
                }
            }
            Step::Evict => {
                for world in &worlds {
                    world.fetch_keys_of_another_issuer().await;
                }
            }
            Step::Record {
                class,
                number,
                not_before,
                expires,
            } => {
                let selector = SELECTORS[class][number % SELECTORS[class].len()];
                let not_before = not_before.map_or(NumericDate::FOREVER, after_start);
                let record = Revocation::watermark(selector, not_before, after_start(expires));
                log.append(vec![record]).await.unwrap();
            }
            Step::Sweep { index, at } => indexes[index].sweep(after_start(at)),
            Step::Silence(begins) => is_silent = begins,
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
    fn cache_changes_no_verdict(steps in prop::collection::vec(step(), 1..120)) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(replay(steps));
    }
}
