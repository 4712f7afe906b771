//! The cache on a paused clock, with a fake source.

mod newer;
mod outdated;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use tokio::{
    sync::Semaphore,
    time::{advance, timeout},
};

use super::{fetch::Fetched, *};

const URI: &str = "https://keys.example/jwks.json";

/// What the source does, and how often it was asked.
struct Source {
    says: Mutex<Says>,
    asked: AtomicUsize,
    /// One for every fetch that may end.
    permits: Semaphore,
}

impl Cache {
    async fn keys(&self, uri: &str, kid: Option<&str>) -> Result<KeySet, RemoteError> {
        self.get(&at(uri), kid).await.map(|cached| cached.keys)
    }
}

#[derive(Clone)]
enum Says {
    Keys(&'static str, Option<u64>),
    Nothing,
    Panics,
}

fn source(says: Says) -> Arc<Source> {
    Arc::new(Source {
        says: Mutex::new(says),
        asked: AtomicUsize::new(0),
        permits: Semaphore::new(Semaphore::MAX_PERMITS),
    })
}

impl Source {
    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Fetches do not end until there are permits.
    fn hold(&self) {
        self.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn cache(self: &Arc<Self>) -> Cache {
        self.cache_with(Limits::default())
    }

    fn cache_with(self: &Arc<Self>, limits: Limits) -> Cache {
        let source = Arc::clone(self);
        let fetch = move |_: KeySource| -> BoxFuture<'static, Result<Fetched, RemoteError>> {
            let source = Arc::clone(&source);
            Box::pin(async move {
                source.asked.fetch_add(1, Ordering::SeqCst);
                source.permits.acquire().await.unwrap().forget();
                let says = source.says.lock().unwrap().clone();
                match says {
                    Says::Keys(kid, lifetime) => Ok(Fetched {
                        keys: set(kid),
                        lifetime: lifetime.map(Duration::from_secs),
                    }),
                    Says::Nothing => Err(RemoteError::new(RemoteErrorKind::Unreachable, "down")),
                    Says::Panics => panic!("a defect"),
                }
            })
        };
        Cache::new(limits, Box::new(fetch))
    }
}

fn at(uri: &str) -> KeySource {
    KeySource::client(uri).unwrap()
}

/// A set with one key of this `kid`.
fn set(kid: &str) -> KeySet {
    let jwks = serde_json::json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "kid": kid,
        // RFC 7515 A.3
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }] });
    KeySet::from_json(&jwks.to_string()).unwrap()
}

async fn seconds(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_set_is_fetched_again_when_it_is_no_longer_fresh() {
    let source = source(Says::Keys("k1", Some(600)));
    let cache = source.cache();
    for _ in 0..3 {
        assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    }
    seconds(599).await;
    cache.keys(URI, None).await.unwrap();
    assert_eq!(source.asked(), 1);

    seconds(1).await;
    source.says(Says::Keys("k2", Some(600)));
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k2"));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_uri_has_its_own_keys() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.says(Says::Keys("k2", None));
    let other = "https://other.example/";
    assert!(cache.keys(other, None).await.unwrap().has_kid("k2"));
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_stays_within_its_bounds() {
    let day = 24 * 60 * 60;
    for (said, fresh) in [
        (Some(0), 60),
        (Some(59), 60),
        (Some(10 * day), day),
        (None, 3600),
    ] {
        let source = source(Says::Keys("k1", said));
        let cache = source.cache();
        cache.keys(URI, None).await.unwrap();
        seconds(fresh - 1).await;
        cache.keys(URI, None).await.unwrap();
        assert_eq!(source.asked(), 1, "{said:?}");
        seconds(1).await;
        cache.keys(URI, None).await.unwrap();
        assert_eq!(source.asked(), 2, "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bound_may_be_for_ever() {
    let source = source(Says::Keys("k1", Some(u32::MAX.into())));
    let cache = source.cache_with(Limits {
        max_lifetime: Duration::MAX,
        stale: Duration::MAX,
        cool_down: Duration::MAX,
        ..Limits::default()
    });
    cache.keys(URI, Some("k2")).await.unwrap();
    cache.keys(URI, Some("k2")).await.unwrap();
    seconds(10 * 365 * 24 * 60 * 60).await;
    cache.keys(URI, Some("k2")).await.unwrap();
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kid_is_worth_one_fetch_per_cool_down() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, Some("k1")).await.unwrap();

    source.says(Says::Keys("k2", None));
    assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k2"));
    assert_eq!(source.asked(), 2);

    source.says(Says::Keys("k3", None));
    for kid in 0..1000 {
        let keys = cache
            .keys(URI, Some(&format!("random-{kid}")))
            .await
            .unwrap();
        assert!(keys.has_kid("k2"));
    }
    assert_eq!(source.asked(), 2);

    seconds(60).await;
    assert!(cache.keys(URI, Some("k3")).await.unwrap().has_kid("k3"));
    assert_eq!(source.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_random_kids_at_once_are_one_fetch() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    let kids: Vec<_> = (0..1000).map(|kid| format!("random-{kid}")).collect();
    for answer in join_all(kids.iter().map(|kid| cache.keys(URI, Some(kid)))).await {
        assert!(answer.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kid_that_a_first_fetch_does_not_bring_is_not_asked_for_twice_in_one_call() {
    let source = source(Says::Keys("k1", None));
    assert!(
        !source
            .cache()
            .keys(URI, Some("k9"))
            .await
            .unwrap()
            .has_kid("k9")
    );
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_an_unknown_kid_is_asked_for_nobody_else_waits() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.hold();
    let mut asking = Box::pin(cache.keys(URI, Some("k2")));
    assert!(futures::poll!(&mut asking).is_pending());
    assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    source.permits.add_permits(1);
    asking.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waiters_are_one_fetch() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    for answer in join_all((0..1000).map(|_| cache.keys(URI, Some("k1")))).await {
        assert!(answer.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waiters_for_a_source_that_is_down_are_one_fetch() {
    let source = source(Says::Nothing);
    let cache = source.cache();
    for answer in join_all((0..1000).map(|_| cache.keys(URI, Some("k1")))).await {
        answer.unwrap_err();
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_goes_away_fails_and_restarts_nobody() {
    let source = source(Says::Keys("k1", None));
    source.hold();
    let cache = source.cache();
    let mut leader = Box::pin(cache.keys(URI, None));
    assert!(futures::poll!(&mut leader).is_pending());
    let mut followers: Vec<_> = (0..10).map(|_| Box::pin(cache.keys(URI, None))).collect();
    for follower in &mut followers {
        assert!(futures::poll!(follower).is_pending());
    }
    tokio::task::yield_now().await;
    assert_eq!(source.asked(), 1);

    drop(leader);
    source.permits.add_permits(1);
    for answer in join_all(followers).await {
        assert!(answer.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_goes_on_when_nobody_waits_for_it() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    assert!(futures::poll!(Box::pin(cache.keys(URI, None))).is_pending());
    tokio::task::yield_now().await;
    source.says(Says::Nothing);
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_panics_is_a_failure_and_the_next_is_another() {
    let source = source(Says::Panics);
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap_err();
    source.says(Says::Keys("k1", None));
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k1"));
}

#[tokio::test(start_paused = true)]
async fn a_cold_failure_is_an_error_and_backs_off() {
    let source = source(Says::Nothing);
    let cache = source.cache();
    for _ in 0..10 {
        cache.keys(URI, Some("k1")).await.unwrap_err();
    }
    assert_eq!(source.asked(), 1);
    source.says(Says::Keys("k1", None));
    seconds(4).await;
    cache.keys(URI, Some("k1")).await.unwrap_err();
    seconds(1).await;
    assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_set_is_served_while_the_source_is_down_and_not_for_ever() {
    let source = source(Says::Keys("k1", Some(60)));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.says(Says::Nothing);
    seconds(60).await;
    for _ in 0..10 {
        assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 2);

    seconds(24 * 60 * 60 - 1).await;
    assert!(cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
    assert_eq!(source.asked(), 3);
    // Neither in the back-off nor after it.
    seconds(1).await;
    cache.keys(URI, Some("k1")).await.unwrap_err();
    seconds(5).await;
    cache.keys(URI, Some("k1")).await.unwrap_err();
    assert_eq!(source.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kid_brings_the_last_good_set_of_a_source_that_is_down() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.says(Says::Nothing);
    for _ in 0..10 {
        assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k1"));
    }
    assert_eq!(source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_source_that_is_known_to_be_down() {
    let source = source(Says::Keys("k1", Some(60)));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.says(Says::Nothing);
    seconds(60).await;
    cache.keys(URI, None).await.unwrap();

    // The next fetch stalls, and the last set is there at once.
    source.hold();
    seconds(5).await;
    let at_once = timeout(Duration::from_millis(1), cache.keys(URI, Some("k1"))).await;
    assert!(at_once.unwrap().unwrap().has_kid("k1"));
    tokio::task::yield_now().await;
    assert_eq!(source.asked(), 3);

    // It comes back, and the fetch that nobody waited for brings the new set.
    source.says(Says::Keys("k2", Some(60)));
    source.permits.add_permits(1);
    assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k2"));
    assert_eq!(source.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_long_ago_is_no_reason_to_serve_the_last_set() {
    let source = source(Says::Keys("k1", Some(600)));
    let cache = source.cache();
    cache.keys(URI, None).await.unwrap();
    source.says(Says::Nothing);
    cache.keys(URI, Some("k2")).await.unwrap();
    source.says(Says::Keys("k2", Some(600)));
    seconds(600).await;
    assert!(!cache.keys(URI, Some("k1")).await.unwrap().has_kid("k1"));
}

#[tokio::test(start_paused = true)]
async fn beyond_the_capacity_the_least_recently_used_is_forgotten() {
    let source = source(Says::Keys("k1", None));
    let cache = source.cache_with(Limits {
        capacity: 3,
        ..Limits::default()
    });
    let uri = |name: &str| format!("https://{name}.example/");
    for name in ["a", "b", "c", "a", "d"] {
        cache.keys(&uri(name), None).await.unwrap();
        seconds(1).await;
    }
    assert_eq!((cache.len(), source.asked()), (3, 4));
    for name in ["a", "c", "d"] {
        cache.keys(&uri(name), None).await.unwrap();
    }
    assert_eq!(source.asked(), 4);
    cache.keys(&uri("b"), None).await.unwrap();
    assert_eq!((cache.len(), source.asked()), (3, 5));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_back_is_waited_for_again() {
    let source = source(Says::Keys("k1", Some(1)));
    let cache = source.cache_with(Limits {
        min_lifetime: Duration::ZERO,
        ..Limits::default()
    });
    cache.keys(URI, None).await.unwrap();
    source.says(Says::Nothing);
    seconds(1).await;
    cache.keys(URI, None).await.unwrap();
    source.says(Says::Keys("k2", Some(1)));
    seconds(5).await;
    assert!(cache.keys(URI, Some("k2")).await.unwrap().has_kid("k2"));

    source.says(Says::Keys("k3", Some(1)));
    seconds(1).await;
    assert!(cache.keys(URI, None).await.unwrap().has_kid("k3"));
}
