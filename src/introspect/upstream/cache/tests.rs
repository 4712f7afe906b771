//! The cache by the clock, and who waits for whom, with a server that is made up.

use std::sync::atomic::AtomicUsize;

use futures::{future::join_all, poll};
use tokio::{sync::Semaphore, time::advance};

use super::{super::UpstreamErrorKind, *};
use crate::introspect::{Introspection, TokenKind};

/// What the server says, and how often it was asked.
struct Upstream {
    says: Mutex<Says>,
    asked: AtomicUsize,
    permits: Semaphore,
}

#[derive(Clone)]
enum Says {
    Active,
    Until(NumericDate),
    Large,
    Inactive,
    Nothing,
}

fn upstream() -> Arc<Upstream> {
    Arc::new(Upstream {
        says: Mutex::new(Says::Active),
        asked: AtomicUsize::new(0),
        permits: Semaphore::new(Semaphore::MAX_PERMITS),
    })
}

impl Upstream {
    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Nothing is answered until there are permits.
    fn hold(&self) {
        self.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn answers(self: &Arc<Self>, ttl: u64, capacity: usize) -> Arc<Answers> {
        let upstream = Arc::clone(self);
        let ttl = Duration::from_secs(ttl);
        let ask = move |token: Secret| -> BoxFuture<'static, Result<Answer, UpstreamError>> {
            let upstream = Arc::clone(&upstream);
            upstream.asked.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                upstream.permits.acquire().await.unwrap().forget();
                let says = upstream.says.lock().unwrap().clone();
                let mut known = Introspection::new(TokenKind::AccessToken, token.expose());
                if let Says::Until(exp) = says {
                    known.exp = Some(exp);
                }
                match says {
                    Says::Nothing => Err(UpstreamError::malformed("nothing")),
                    Says::Inactive => Ok(Answer {
                        token: None.into(),
                        is_small: true,
                    }),
                    Says::Active | Says::Until(_) | Says::Large => Ok(Answer {
                        token: known.into(),
                        is_small: !matches!(says, Says::Large),
                    }),
                }
            })
        };
        Arc::new(Answers::new(Limits { ttl, capacity }, Box::new(ask)))
    }
}

impl Answers {
    async fn of(self: &Arc<Self>, token: &str) -> Outcome {
        match self.next(Secret::new(token)) {
            Next::Answer(answer) => Ok(answer),
            Next::Wait(flight) => flight.await,
        }
    }

    fn is_active(answer: &Outcome) -> bool {
        answer.as_ref().unwrap().token().is_some()
    }
}

async fn seconds(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_holds_for_its_time_and_no_longer() {
    let upstream = upstream();
    let answers = upstream.answers(10, 100);
    for _ in 0..3 {
        assert_eq!(
            answers
                .of("t")
                .await
                .unwrap()
                .into_token()
                .unwrap()
                .client_id,
            "t"
        );
    }
    upstream.says(Says::Inactive);
    advance(Duration::from_millis(9_999)).await;
    assert!(Answers::is_active(&answers.of("t").await));
    assert_eq!(upstream.asked(), 1);
    advance(Duration::from_millis(1)).await;
    assert!(!Answers::is_active(&answers.of("t").await));
    assert_eq!(upstream.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn its_time_begins_when_it_is_asked_for() {
    let upstream = upstream();
    upstream.hold();
    let answers = upstream.answers(10, 100);
    let mut asking = Box::pin(answers.of("t"));
    assert!(poll!(&mut asking).is_pending());
    seconds(9).await;
    upstream.permits.add_permits(2);
    asking.await.unwrap();
    seconds(1).await;
    answers.of("t").await.unwrap();
    assert_eq!(upstream.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_such_token_holds_for_a_second() {
    let upstream = upstream();
    upstream.says(Says::Inactive);
    let answers = upstream.answers(10, 100);
    assert!(!Answers::is_active(&answers.of("t").await));
    upstream.says(Says::Active);
    assert!(!Answers::is_active(&answers.of("t").await));
    assert_eq!(upstream.asked(), 1);
    seconds(1).await;
    assert!(Answers::is_active(&answers.of("t").await));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_not_kept() {
    let upstream = upstream();
    upstream.says(Says::Nothing);
    let answers = upstream.answers(10, 100);
    for _ in 0..2 {
        let error = answers.of("t").await.unwrap_err();
        assert_eq!(error.kind(), UpstreamErrorKind::Malformed);
    }
    assert_eq!((upstream.asked(), answers.len()), (2, 0));
    upstream.says(Says::Active);
    assert!(Answers::is_active(&answers.of("t").await));
}

/// The clock that is paused is not the one that `exp` is read from.
#[tokio::test(start_paused = true)]
async fn an_answer_does_not_outlast_its_token() {
    let upstream = upstream();
    let answers = upstream.answers(10_000, 100);
    let now = NumericDate::now();
    upstream.says(Says::Until(now));
    answers.of("past").await.unwrap();
    answers.of("past").await.unwrap();
    assert_eq!(upstream.asked(), 2);
    upstream.says(Says::Until(now + Duration::from_secs(3600)));
    answers.of("future").await.unwrap();
    answers.of("future").await.unwrap();
    assert_eq!(upstream.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_is_not_kept() {
    let upstream = upstream();
    upstream.says(Says::Large);
    let answers = upstream.answers(10, 100);
    for _ in 0..2 {
        assert!(Answers::is_active(&answers.of("t").await));
    }
    assert_eq!((upstream.asked(), answers.len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_where_nothing_may_be() {
    for (ttl, capacity) in [(0, 100), (10, 0)] {
        let upstream = upstream();
        let answers = upstream.answers(ttl, capacity);
        for _ in 0..3 {
            answers.of("t").await.unwrap();
        }
        assert_eq!((upstream.asked(), answers.len()), (3, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_are_kept_than_there_is_room_for() {
    for capacity in [1, 3, 100] {
        let upstream = upstream();
        let answers = upstream.answers(10, capacity);
        for token in 0..1000 {
            answers.of(&token.to_string()).await.unwrap();
            assert!(answers.len() <= capacity);
        }
        assert!(answers.len() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_ask_about_one_token_are_one_question() {
    let upstream = upstream();
    for answers in [upstream.answers(10, 100), upstream.answers(0, 0)] {
        let before = upstream.asked();
        upstream.hold();
        let mut all = Box::pin(join_all((0..1000).map(|_| answers.of("t"))));
        assert!(poll!(&mut all).is_pending());
        upstream.permits.add_permits(Semaphore::MAX_PERMITS);
        assert!(all.await.iter().all(Answers::is_active));
        assert_eq!(upstream.asked(), before + 1);
        assert!(answers.flights().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_to_all_who_wait() {
    let upstream = upstream();
    upstream.says(Says::Nothing);
    upstream.hold();
    let answers = upstream.answers(10, 100);
    let mut all = Box::pin(join_all((0..10).map(|_| answers.of("t"))));
    assert!(poll!(&mut all).is_pending());
    upstream.permits.add_permits(1);
    assert!(all.await.iter().all(Result::is_err));
    assert_eq!(upstream.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn other_tokens_are_other_questions() {
    let upstream = upstream();
    upstream.hold();
    let answers = upstream.answers(10, 100);
    let mut all = Box::pin(join_all(["a", "b", "c"].map(|token| answers.of(token))));
    assert!(poll!(&mut all).is_pending());
    assert_eq!(upstream.asked(), 3);
    upstream.permits.add_permits(3);
    for (answer, token) in all.await.into_iter().zip(["a", "b", "c"]) {
        assert_eq!(answer.unwrap().into_token().unwrap().client_id, token);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_fails_and_restarts_nobody() {
    let upstream = upstream();
    upstream.hold();
    let answers = upstream.answers(10, 100);
    let mut leader = Box::pin(answers.of("t"));
    assert!(poll!(&mut leader).is_pending());
    let followers: Vec<_> = (0..10)
        .map(|_| {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move { answers.of("t").await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(leader);
    upstream.permits.add_permits(1);
    for follower in followers {
        assert!(Answers::is_active(&follower.await.unwrap()));
    }
    assert_eq!(upstream.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_waits_for_is_dropped_and_asked_anew() {
    let upstream = upstream();
    upstream.hold();
    let answers = upstream.answers(10, 100);
    for asked in 1..=3 {
        let mut asking = Box::pin(answers.of("t"));
        assert!(poll!(&mut asking).is_pending());
        assert_eq!((upstream.asked(), answers.flights().len()), (asked, 1));
        drop(asking);
        assert!(answers.flights().is_empty());
    }
    upstream.permits.add_permits(1);
    assert!(Answers::is_active(&answers.of("t").await));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_dropped_late_does_not_make_room_for_a_second_one() {
    let upstream = upstream();
    upstream.hold();
    let answers = upstream.answers(10, 100);
    let token = || Secret::new("t");
    let Next::Wait(first) = answers.next(token()) else {
        panic!("nothing is known");
    };
    // As if it were being dropped at this very moment.
    let old = answers.flights().remove(&answers.tag("t")).unwrap();
    let Next::Wait(second) = answers.next(token()) else {
        panic!("nothing is known");
    };
    drop((first, old));
    let Next::Wait(third) = answers.next(token()) else {
        panic!("nothing is known");
    };
    assert!(second.ptr_eq(&third));
    assert_eq!(upstream.asked(), 2);
}

#[test]
fn a_token_is_known_by_a_digest_under_a_key_of_its_own() {
    let upstream = upstream();
    let (one, other) = (upstream.answers(10, 1), upstream.answers(10, 1));
    assert_eq!(one.tag("t"), one.tag("t"));
    assert_ne!(one.tag("t"), one.tag("u"));
    assert_ne!(one.tag("t"), other.tag("t"));
}
