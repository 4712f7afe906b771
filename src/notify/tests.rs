//! Telling issuers, from a journal.

use std::{
    collections::VecDeque,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper::StatusCode;
use serde_json::json;
use tokio::{task::JoinHandle, time::Instant};
use tower::{BoxError, service_fn};

use super::{
    Deliveries, Notice, Notifier, NotifyError, NotifyErrorKind, Recipients,
    content::{Content, MEMBER},
    delivery::RefreshTokens,
};
use crate::{
    date::fake,
    log::{Journal, JournalWrite, MemoryJournal, NewJournalEntry, NumericDate, SelectorClass},
    revoke::{AdminRequest, Target},
};

const SUBJECT: &[SelectorClass] = &[SelectorClass::Subject];
const ID: &str = "https://id.test";
const OTHER: &str = "https://other.test";

/// What is told, and what comes of it.
#[derive(Clone, Default)]
struct Issuer {
    told: Arc<Mutex<Vec<Notice>>>,
    /// The results of the next attempts. After them, each attempt succeeds.
    next: Arc<Mutex<VecDeque<NotifyError>>>,
}

impl Issuer {
    fn recipients(&self, issuer: &str) -> Recipients {
        let this = self.clone();
        let tell = service_fn(move |notice: Notice| {
            let this = this.clone();
            async move {
                this.told.lock().unwrap().push(notice);
                let error = this.next.lock().unwrap().pop_front();
                error.map_or(Ok(()), |error| Err::<(), BoxError>(error.into()))
            }
        });
        Recipients::new().service(issuer, SUBJECT, tell)
    }

    fn fails(&self, error: NotifyError) {
        self.next.lock().unwrap().push_back(error);
    }

    fn told(&self) -> usize {
        self.told.lock().unwrap().len()
    }
}

/// A journal, and the clock of this thread.
struct World {
    journal: MemoryJournal,
}

impl World {
    fn new() -> Self {
        fake::NOW.set(Some(NumericDate::new(1_000_000)));
        Self {
            journal: MemoryJournal::new(),
        }
    }

    fn run(&self, notifier: &Notifier) -> JoinHandle<()> {
        tokio::spawn(notifier.clone().run(Arc::new(self.journal.clone())))
    }

    /// An order about a subject of these issuers, as the trail writes it. Returns its place.
    async fn order(&self, notifier: &Notifier, subject: &str, issuers: &[&str]) -> u64 {
        let request = AdminRequest::new(Target::Subject(subject.to_owned()));
        let plan = notifier.plan(&request, NumericDate::now(), issuers.iter().copied());
        let plan = plan.expect("a subject needs a notice");
        let content = json!({ "actor": "bob", MEMBER: plan });
        let mut entry = NewJournalEntry::new(content.to_string().into(), NumericDate::FOREVER);
        entry.due = plan.next();
        let written = self.journal.write(vec![entry]).await.unwrap();
        let [JournalWrite::Written(place)] = written[..] else {
            panic!("{written:?}");
        };
        notifier.wake();
        place
    }

    async fn deliveries(&self, place: u64) -> Deliveries {
        let entry = self.journal.get(place).await.unwrap().unwrap();
        let other: serde_json::Value = serde_json::from_slice(&entry.content).unwrap();
        assert_eq!(other["actor"], "bob");
        Content::read(&entry.content).unwrap().deliveries
    }

    async fn state(&self, place: u64) -> RefreshTokens {
        self.deliveries(place).await.refresh_tokens()
    }
}

/// The clock goes on by so many seconds, and everybody does what is due then.
async fn pass(seconds: u64) {
    for _ in 0..seconds {
        let now = NumericDate::now() + Duration::from_secs(1);
        fake::NOW.set(Some(now));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // Without the clock: what is due is begun, and ends.
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

fn error(kind: NotifyErrorKind) -> NotifyError {
    NotifyError::new(kind)
}

#[tokio::test(start_paused = true)]
async fn failure_is_repeated_until_it_succeeds() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    world.run(&notifier);
    issuer.fails(error(NotifyErrorKind::Unreachable));
    issuer.fails(error(NotifyErrorKind::Status(StatusCode::BAD_GATEWAY)));
    let place = world.order(&notifier, "alice", &[ID]).await;
    pass(0).await;
    assert_eq!(issuer.told(), 1);
    let after = world.deliveries(place).await;
    assert_eq!(after.refresh_tokens(), RefreshTokens::Pending);
    assert_eq!(after.to[0].last.as_deref(), Some("unreachable"));
    assert_eq!(world.journal.waiting().await.unwrap(), 1);
    pass(60).await;
    assert_eq!(issuer.told(), 3);
    let after = world.deliveries(place).await;
    assert_eq!(after.refresh_tokens(), RefreshTokens::Ended);
    assert_eq!(
        (after.to[0].attempts, after.to[0].last.as_deref()),
        (3, None)
    );
    assert_eq!(world.journal.waiting().await.unwrap(), 0);
    let told = issuer.told.lock().unwrap();
    assert!(told.iter().all(|notice| *notice == told[0]));
    assert_eq!(told[0].subject.as_deref(), Some("alice"));
    assert_eq!(told[0].issuer, ID);
}

#[tokio::test(start_paused = true)]
async fn order_of_this_process_is_told_at_once() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    world.run(&notifier);
    pass(0).await;
    let begun = Instant::now();
    world.order(&notifier, "alice", &[ID]).await;
    while issuer.told() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn issuer_that_does_not_respond_does_not_stop_another() {
    let (world, issuer) = (World::new(), Issuer::default());
    let stalled = service_fn(async |_: Notice| pending::<Result<(), BoxError>>().await);
    let recipients = issuer.recipients(ID).service(OTHER, SUBJECT, stalled);
    let notifier = Notifier::new(recipients);
    for number in 0..500 {
        let subject = format!("stalled-{number}");
        world.order(&notifier, &subject, &[OTHER]).await;
    }
    let place = world.order(&notifier, "alice", &[ID]).await;
    world.run(&notifier);
    pass(3).await;
    assert_eq!(world.state(place).await, RefreshTokens::Ended);
}

#[tokio::test(start_paused = true)]
async fn burst_is_told_quickly() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    for number in 0..1000 {
        world.order(&notifier, &number.to_string(), &[ID]).await;
    }
    world.run(&notifier);
    pass(1).await;
    assert_eq!(issuer.told(), 1000);
    assert_eq!(world.journal.waiting().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn issuer_that_is_down_is_not_asked_for_each_order() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    for _ in 0..1000 {
        issuer.fails(error(NotifyErrorKind::Unreachable));
    }
    for number in 0..500 {
        world.order(&notifier, &number.to_string(), &[ID]).await;
    }
    world.run(&notifier);
    pass(60).await;
    assert!(issuer.told() < 250, "{}", issuer.told());
    // It is back.
    issuer.next.lock().unwrap().clear();
    pass(180).await;
    assert_eq!(world.journal.waiting().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn failure_is_final_after_some_time() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID)).give_up_after(Duration::from_secs(20));
    for _ in 0..100 {
        issuer.fails(error(NotifyErrorKind::Unauthorized));
    }
    world.run(&notifier);
    let place = world.order(&notifier, "alice", &[ID]).await;
    pass(15).await;
    assert_eq!(world.state(place).await, RefreshTokens::Pending);
    pass(60).await;
    assert_eq!(world.state(place).await, RefreshTokens::Failed);
    let told = issuer.told();
    pass(60).await;
    assert_eq!(issuer.told(), told);
}

#[tokio::test(start_paused = true)]
async fn order_outlives_the_process_that_tells() {
    let (world, issuer) = (World::new(), Issuer::default());
    let stalled = service_fn(async |_: Notice| pending::<Result<(), BoxError>>().await);
    let first = Notifier::new(Recipients::new().service(ID, SUBJECT, stalled));
    let process = world.run(&first);
    let place = world.order(&first, "alice", &[ID]).await;
    pass(0).await;
    process.abort();
    let second = Notifier::new(issuer.recipients(ID));
    world.run(&second);
    pass(50).await;
    assert_eq!(issuer.told(), 0, "the first process may be telling");
    pass(15).await;
    assert_eq!(issuer.told(), 1);
    assert_eq!(world.state(place).await, RefreshTokens::Ended);
}

#[tokio::test(start_paused = true)]
async fn two_processes_tell_each_order_once() {
    let (world, issuer) = (World::new(), Issuer::default());
    let first = Notifier::new(issuer.recipients(ID));
    let second = Notifier::new(issuer.recipients(ID));
    world.run(&first);
    world.run(&second);
    for number in 0..200 {
        world.order(&first, &number.to_string(), &[ID]).await;
        second.wake();
    }
    pass(5).await;
    assert_eq!(issuer.told(), 200);
    assert_eq!(world.journal.waiting().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn order_that_cannot_be_read_stays_due_and_stops_no_other() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    for content in ["", "[]", "{}", r#"{"deliveries":{"to":1}}"#] {
        let mut entry = NewJournalEntry::new(content.into(), NumericDate::FOREVER);
        entry.due = Some(NumericDate::now());
        world.journal.write(vec![entry]).await.unwrap();
    }
    world.run(&notifier);
    world.order(&notifier, "alice", &[ID]).await;
    pass(0).await;
    assert_eq!(issuer.told(), 1);
    assert_eq!(world.journal.waiting().await.unwrap(), 4);
    let soon = world.journal.take_due(9, Duration::ZERO).await.unwrap();
    assert!(soon.is_empty());
}

#[tokio::test(start_paused = true)]
async fn recipients_can_be_replaced() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    let place = world.order(&notifier, "alice", &[ID]).await;
    world.run(&notifier);
    for others in [Recipients::new(), issuer.recipients(OTHER)] {
        notifier.replace(others);
        pass(2).await;
        let pending = world.deliveries(place).await;
        assert_eq!(pending.refresh_tokens(), RefreshTokens::Pending);
        assert_eq!((pending.to[0].attempts, &pending.to[0].last), (0, &None));
    }
    notifier.replace(issuer.recipients(ID));
    pass(120).await;
    assert_eq!(world.state(place).await, RefreshTokens::Ended);
}

#[tokio::test(start_paused = true)]
async fn receiver_is_left_alone_for_an_hour_at_most() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    world.run(&notifier);
    let busy = error(NotifyErrorKind::Status(StatusCode::TOO_MANY_REQUESTS));
    issuer.fails(busy.retry_after(Duration::MAX));
    let place = world.order(&notifier, "alice", &[ID]).await;
    pass(0).await;
    let next = world.deliveries(place).await.to[0].next;
    assert_eq!(next, Some(NumericDate::now().seconds() + 3600));
}

/// Such as one of several nodes.
#[tokio::test(start_paused = true)]
async fn process_that_cannot_tell_an_issuer_leaves_it_to_the_others() {
    let (world, issuer) = (World::new(), Issuer::default());
    let notifier = Notifier::new(issuer.recipients(ID));
    let place = world.order(&notifier, "alice", &[ID]).await;
    for recipients in [Recipients::new(), issuer.recipients(OTHER)] {
        let cannot = Notifier::new(recipients).give_up_after(Duration::ZERO);
        world.run(&cannot);
    }
    pass(60).await;
    let pending = world.deliveries(place).await;
    assert_eq!(pending.refresh_tokens(), RefreshTokens::Pending);
    assert_eq!(issuer.told(), 0);
    world.run(&notifier);
    pass(600).await;
    assert_eq!(world.state(place).await, RefreshTokens::Ended);
}

#[tokio::test(start_paused = true)]
async fn attempts_end_before_the_process() {
    let (world, told) = (World::new(), Arc::new(Mutex::new(0)));
    let counted = told.clone();
    let slow = service_fn(move |_: Notice| {
        let counted = counted.clone();
        async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            *counted.lock().unwrap() += 1;
            Ok::<_, BoxError>(())
        }
    });
    let notifier = Notifier::new(Recipients::new().service(ID, SUBJECT, slow));
    let process = world.run(&notifier);
    let place = world.order(&notifier, "alice", &[ID]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    notifier.stop();
    process.await.unwrap();
    assert_eq!(*told.lock().unwrap(), 1);
    assert_eq!(world.state(place).await, RefreshTokens::Ended);
}

#[test]
fn only_orders_with_an_end_are_told() {
    let issuer = Issuer::default();
    let notifier = Notifier::new(issuer.recipients(ID));
    let plan = |target, issuers: &[&str]| {
        let request = AdminRequest::new(target);
        let plan = notifier.plan(&request, NumericDate::now(), issuers.iter().copied());
        plan.map(|plan| plan.refresh_tokens())
    };
    let alice = || Target::Subject("alice".to_owned());
    assert_eq!(plan(alice(), &[ID]), Some(RefreshTokens::Pending));
    assert_eq!(plan(alice(), &[OTHER]), Some(RefreshTokens::Untouched));
    let client = Target::Client("shop".to_owned());
    assert_eq!(plan(client, &[ID]), Some(RefreshTokens::Untouched));
    for target in [
        Target::Session("s".to_owned()),
        Target::Grant("g".to_owned()),
        Target::OpaqueToken([0; 32]),
    ] {
        assert_eq!(plan(target, &[ID]), None);
    }
    let selected = Target::Selected(AdminRequest::new(alice()).selector());
    assert_eq!(plan(selected, &[ID]), Some(RefreshTokens::Untouched));
}
