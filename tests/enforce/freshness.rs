//! A token in an unknown state is not live.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hyper::StatusCode;
use tower::{BoxError, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Freshness, Index, Policy, Verdict, WhenUnknown},
    log::{LogError, LogErrorKind, MemoryLog, NumericDate, RevocationLog as _, Selector},
};

use crate::fixture::{Introspect, Known, RemoteLog, forever, good, request, verdict, with_token};

const NEVER: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn over(index: &Index) -> EnforcementLayer<Introspect> {
    EnforcementLayer::new(Known::with(good()).service(), index.clone())
}

/// An index that is stale: its log was asked a minute ago.
pub(crate) async fn stale(log: &RemoteLog) -> Index {
    let mut log = log.clone();
    log.asked_ago = MINUTE;
    Index::follow(&log).await.unwrap()
}

#[tokio::test]
async fn no_token_is_live_before_a_log_is_loaded() {
    let index = Index::new();
    let readiness = index.readiness();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let authority = service_fn(move |_: Secret| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok::<_, BoxError>(Some(good())))
    });
    for choice in [
        WhenUnknown::Deny,
        WhenUnknown::ServeStale { max: Duration::MAX },
        WhenUnknown::Introspect,
    ] {
        let policy = Policy::new().when_unknown(choice);
        let layer = over(&index).policy(policy).confirm_by(authority.clone());
        let unknown = (StatusCode::SERVICE_UNAVAILABLE, Some(Verdict::Unknown));
        assert_eq!(verdict(&layer, with_token()).await, unknown, "{choice:?}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert!(!readiness.is_ready() && !index.is_live(&good(), good().iat.unwrap()));

    index.load(&MemoryLog::new()).await.unwrap();
    assert!(readiness.is_ready());
    assert_eq!(
        verdict(&over(&index), with_token()).await,
        (StatusCode::OK, None)
    );
}

#[tokio::test]
async fn unreadable_log_leaves_the_index_unready() {
    struct Broken;
    impl tower_revocation::log::RevocationLog for Broken {
        async fn append(
            &self,
            _: Vec<tower_revocation::log::Revocation>,
        ) -> Result<tower_revocation::log::Position, LogError> {
            Err(LogError::new(LogErrorKind::Storage))
        }
        async fn follow(
            &self,
            _: std::sync::Weak<dyn tower_revocation::log::Reader>,
        ) -> Result<(), LogError> {
            Err(LogError::new(LogErrorKind::Storage))
        }
        fn health(&self) -> tower_revocation::log::LogHealth {
            tower_revocation::log::LogHealth::writable()
        }
        fn durability(&self) -> tower_revocation::log::Durability {
            tower_revocation::log::Durability::Volatile
        }
    }
    let index = Index::new();
    index.load(&Broken).await.unwrap_err();
    assert_eq!(index.freshness(), Freshness::Unready);
    assert_eq!(
        verdict(&over(&index), with_token()).await.1,
        Some(Verdict::Unknown)
    );
}

#[tokio::test]
async fn task_that_waits_for_readiness_is_woken() {
    let index = Index::new();
    let readiness = index.readiness();
    let waiting =
        [readiness.clone(), readiness].map(|it| tokio::spawn(async move { it.ready().await }));
    tokio::task::yield_now().await;
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    index.load(&MemoryLog::new()).await.unwrap();
    for waiting in waiting {
        waiting.await.unwrap();
    }
}

#[tokio::test]
async fn local_log_is_never_stale() {
    let index = Index::new().stale_after(Duration::ZERO);
    index.load(&MemoryLog::new()).await.unwrap();
    std::thread::sleep(Duration::from_millis(3));
    assert_eq!(index.freshness(), Freshness::Fresh);
}

#[tokio::test]
async fn local_log_does_not_hide_the_silence_of_another() {
    let (local, remote) = (MemoryLog::new(), RemoteLog::default());
    for local_first in [true, false] {
        let index = Index::new().stale_after(Duration::ZERO);
        if local_first {
            index.load(&local).await.unwrap();
        }
        index.load(&remote).await.unwrap();
        if !local_first {
            index.load(&local).await.unwrap();
        }
        std::thread::sleep(Duration::from_millis(3));
        let freshness = index.freshness();
        assert!(matches!(freshness, Freshness::Stale(_)), "{local_first}");
    }
}

#[tokio::test]
async fn silent_log_makes_tokens_unknown_until_it_reports() {
    let log = RemoteLog::default();
    let index = stale(&log).await;
    let layer = over(&index);
    assert!(matches!(index.freshness(), Freshness::Stale(_)));
    assert!(!index.readiness().is_ready());
    let unknown = (StatusCode::SERVICE_UNAVAILABLE, Some(Verdict::Unknown));
    assert_eq!(verdict(&layer, with_token()).await, unknown);

    let patient = Index::new().stale_after(NEVER);
    patient.load(&log).await.unwrap();
    assert_eq!(
        verdict(&over(&patient), with_token()).await.0,
        StatusCode::OK
    );
    log.beat();
    assert_eq!(patient.freshness(), Freshness::Fresh);
}

#[tokio::test]
async fn records_do_not_make_an_index_fresh() {
    let log = RemoteLog::default();
    let index = stale(&log).await;
    log.report(&forever(Selector::grant("g2")));
    assert!(matches!(index.freshness(), Freshness::Stale(_)));
    assert_eq!(index.len(), 1);
}

#[tokio::test]
async fn answer_is_as_old_as_its_question() {
    let mut log = RemoteLog::default();
    let index = Index::new().stale_after(MINUTE);
    index.load(&log).await.unwrap();
    assert_eq!(index.freshness(), Freshness::Fresh);

    let index = stale(&log).await;
    // Complete, but as of a moment that is too long ago.
    log.asked_ago = 2 * MINUTE;
    log.beat();
    let Freshness::Stale(age) = index.freshness() else {
        panic!("the answer counts as new");
    };
    // Nor does an answer that comes late make the index older.
    assert!(age >= MINUTE && age < 2 * MINUTE, "{age:?}");
    log.asked_ago = Duration::ZERO;
    log.beat();
    assert_eq!(index.freshness(), Freshness::Fresh);
}

#[tokio::test]
async fn known_record_counts_however_old_the_index_is() {
    let log = RemoteLog::default();
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let layer = over(&stale(&log).await);
    assert_eq!(
        verdict(&layer, with_token()).await.0,
        StatusCode::UNAUTHORIZED
    );
    // An unrecognised token is invalid, however old the index is.
    let (status, _) = verdict(&layer, request(Some("Bearer unknown"))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn stale_index_is_used_for_the_chosen_time() {
    let log = RemoteLog::default();
    let index = stale(&log).await;
    let for_at_most =
        |max| over(&index).policy(Policy::new().when_unknown(WhenUnknown::ServeStale { max }));
    assert_eq!(
        verdict(&for_at_most(NEVER), with_token()).await.0,
        StatusCode::OK
    );
    let unknown = Some(Verdict::Unknown);
    assert_eq!(
        verdict(&for_at_most(Duration::ZERO), with_token()).await.1,
        unknown
    );
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    assert_eq!(
        verdict(&for_at_most(NEVER), with_token()).await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn stale_index_is_not_used_for_a_token_whose_record_may_be_forgotten() {
    let hour = Duration::from_secs(3600);
    let now = NumericDate::now();
    let mut log = RemoteLog::default();
    log.forgotten = Some(now + 2 * hour);
    let index = stale(&log).await;
    for (exp, expected) in [
        (Some(now + hour), Some(Verdict::Unknown)),
        (Some(now + 2 * hour), Some(Verdict::Unknown)),
        (None, Some(Verdict::Unknown)),
        // The token expires after every forgotten record.
        (Some(now + 3 * hour), None),
    ] {
        let mut token = good();
        token.exp = exp;
        let layer = EnforcementLayer::new(Known::with(token).service(), index.clone())
            .policy(Policy::new().when_unknown(WhenUnknown::ServeStale { max: NEVER }));
        assert_eq!(verdict(&layer, with_token()).await.1, expected, "{exp:?}");
    }
}

#[tokio::test]
async fn policy_can_differ_by_route() {
    let index = stale(&RemoteLog::default()).await;
    let layer = over(&index).policy_by(|head| match head.uri.path() {
        "/api/me" => Policy::new(),
        _ => Policy::new().when_unknown(WhenUnknown::ServeStale { max: NEVER }),
    });
    assert_eq!(
        verdict(&layer, with_token()).await.1,
        Some(Verdict::Unknown)
    );
    let mut elsewhere = with_token();
    *elsewhere.uri_mut() = "/static".parse().unwrap();
    assert_eq!(verdict(&layer, elsewhere).await.0, StatusCode::OK);
}

#[tokio::test]
async fn token_whose_record_the_log_may_have_forgotten_is_unknown() {
    let exp = good().exp.unwrap();
    let hour = Duration::from_secs(3600);
    let earlier = NumericDate::new(exp.seconds() - 1);
    for (forgotten, known) in [(earlier, true), (exp, false), (exp + hour, false)] {
        let mut log = RemoteLog::default();
        log.forgotten = Some(forgotten);
        let index = Index::new().stale_after(NEVER);
        index.load(&log).await.unwrap();
        let (status, verdict) = verdict(&over(&index), with_token()).await;
        if known {
            assert_eq!((status, verdict), (StatusCode::OK, None), "{forgotten:?}");
        } else {
            let unknown = (StatusCode::SERVICE_UNAVAILABLE, Some(Verdict::Unknown));
            assert_eq!((status, verdict), unknown, "{forgotten:?}");
        }
        // A known record counts.
        log.append(forever(Selector::grant("g1"))).await.unwrap();
        let (status, _) = crate::fixture::verdict(&over(&index), with_token()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn token_without_exp_is_unknown_until_every_forgotten_record_has_ended() {
    let mut endless = good();
    endless.exp = None;
    let hour = Duration::from_secs(3600);
    let now = NumericDate::now();
    for (forgotten, status) in [
        (now + hour, StatusCode::SERVICE_UNAVAILABLE),
        (now, StatusCode::OK),
    ] {
        let mut log = RemoteLog::default();
        log.forgotten = Some(forgotten);
        let index = Index::new().stale_after(NEVER);
        index.load(&log).await.unwrap();
        let layer = EnforcementLayer::new(Known::with(endless.clone()).service(), index);
        assert_eq!(verdict(&layer, with_token()).await.0, status);
    }
}
