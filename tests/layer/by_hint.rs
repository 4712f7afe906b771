//! `ByHint`: the order of its key spaces, and that the order does not change the outcome.

use std::{
    future::{Ready, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use futures::executor::block_on;
use proptest::prelude::*;
use tower::{BoxError, Service, ServiceExt as _};
use tower_revocation::{ByHint, Error, ErrorKind, Outcome, RevocationRequest, Secret};

const NAMES: [&str; 3] = ["access_token", "refresh_token", "pct"];

/// The outcome of a key space. `None` is an error.
type Reply = Option<Outcome>;

const ALL: [Reply; 5] = [
    Some(Outcome::Revoked),
    Some(Outcome::IssuedToAnother),
    None,
    Some(Outcome::Unsupported),
    Some(Outcome::NotFound),
];

const HINTS: [Option<&str>; 8] = [
    None,
    Some("access_token"),
    Some("refresh_token"),
    Some("pct"),
    Some("REFRESH_TOKEN"),
    Some("urn:example:unknown"),
    Some("refresh_token "),
    Some(""),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Ready(usize),
    Called(usize),
}

/// A key space that records its calls.
#[derive(Clone)]
struct KeySpace {
    name: usize,
    reply: Reply,
    ready: bool,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Service<RevocationRequest<&'static str>> for KeySpace {
    type Response = Outcome;
    type Error = BoxError;
    type Future = Ready<Result<Outcome, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = true;
        self.events.lock().unwrap().push(Event::Ready(self.name));
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RevocationRequest<&'static str>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called while not ready");
        assert_eq!(
            (request.client, request.token.expose()),
            ("s6BhdRkqt3", "45ghiukldjahdnhzdauz")
        );
        self.events.lock().unwrap().push(Event::Called(self.name));
        ready(self.reply.ok_or_else(|| NAMES[self.name].into()))
    }
}

/// The outcome of three key spaces, and the order of their calls.
fn ask(replies: [Reply; 3], hint: Option<&str>) -> (Result<Outcome, String>, Vec<Event>) {
    let events = Arc::default();
    let space = |name| KeySpace {
        name,
        reply: replies[name],
        ready: false,
        events: Arc::clone(&events),
    };
    let backend = ByHint::new(space(0), space(1)).with(NAMES[2], space(2));
    let mut request = RevocationRequest::new("s6BhdRkqt3", Secret::new("45ghiukldjahdnhzdauz"));
    if let Some(hint) = hint {
        request = request.hint(hint.into());
    }
    let outcome = block_on(backend.oneshot(request)).map_err(|error| error.to_string());
    let events = events.lock().unwrap().clone();
    (outcome, events)
}

fn strongest(replies: [Reply; 3]) -> Reply {
    let strength = |reply: &Reply| ALL.iter().position(|other| other == reply);
    replies.into_iter().min_by_key(strength).unwrap()
}

/// All 125 combinations, with all hints.
fn combinations() -> impl Iterator<Item = [Reply; 3]> {
    ALL.into_iter().flat_map(|one| {
        ALL.into_iter()
            .flat_map(move |two| ALL.into_iter().map(move |three| [one, two, three]))
    })
}

#[test]
fn strongest_outcome_wins_whatever_the_hint() {
    for replies in combinations() {
        let (unhinted, _) = ask(replies, None);
        assert_eq!(
            unhinted.as_ref().ok().copied(),
            strongest(replies),
            "{replies:?}"
        );
        for hint in HINTS {
            // Errors are equal too, whichever key space is called first.
            assert_eq!(ask(replies, hint).0, unhinted, "{replies:?} with {hint:?}");
        }
    }
}

#[test]
fn hinted_key_space_is_called_first_and_each_at_most_once() {
    for replies in combinations() {
        for hint in HINTS {
            let (_, events) = ask(replies, hint);
            let mut called = Vec::new();
            for pair in events.chunks(2) {
                // Polled for readiness only when it is its turn.
                let &[Event::Ready(ready), Event::Called(name)] = pair else {
                    panic!("{replies:?} with {hint:?}: {events:?}");
                };
                assert_eq!(ready, name);
                assert!(
                    !called.contains(&name),
                    "{replies:?} with {hint:?}: {events:?}"
                );
                called.push(name);
            }

            if let Some(hinted) = NAMES.iter().position(|&name| Some(name) == hint) {
                assert_eq!(called[0], hinted);
            }
            match called
                .iter()
                .position(|&name| replies[name] == Some(Outcome::Revoked))
            {
                Some(revoked) => assert_eq!(revoked + 1, called.len(), "no further call"),
                None => assert_eq!(called.len(), 3, "all are called"),
            }
        }
    }
}

/// `poll_ready` can fail.
#[test]
fn unready_key_space_does_not_hide_a_hit() {
    #[derive(Clone)]
    struct Gone;

    impl Service<RevocationRequest<&'static str>> for Gone {
        type Response = Outcome;
        type Error = Error;
        type Future = Ready<Result<Outcome, Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Err(Error::new(ErrorKind::TooManyRequests)))
        }

        fn call(&mut self, _: RevocationRequest<&'static str>) -> Self::Future {
            panic!("called while not ready")
        }
    }

    let hit = tower::service_fn(async |_| Ok::<_, BoxError>(Outcome::Revoked));
    let miss = tower::service_fn(async |_| Ok::<_, BoxError>(Outcome::NotFound));
    for hint in HINTS.into_iter().flatten() {
        let request = RevocationRequest::new("s6BhdRkqt3", Secret::new("t")).hint(hint.into());
        let outcome = block_on(ByHint::new(Gone, hit).oneshot(request.clone())).unwrap();
        assert_eq!(outcome, Outcome::Revoked);
        let error = block_on(ByHint::new(Gone, miss).oneshot(request)).unwrap_err();
        let error = error.downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::TooManyRequests);
    }
}

proptest! {
    /// For any hint.
    #[test]
    fn no_hint_changes_the_outcome(
        hint in any::<String>(),
        replies in prop::array::uniform3(prop::sample::select(ALL.to_vec())),
    ) {
        let (outcome, _) = ask(replies, Some(&hint));
        prop_assert_eq!(outcome.ok(), strongest(replies));
    }
}
