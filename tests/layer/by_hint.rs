//! Several key spaces: the order of asking, and that it never shows.

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

/// What a key space says; nothing is an error.
type Says = Option<Outcome>;

const ALL: [Says; 5] = [
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
    Readied(usize),
    Asked(usize),
}

/// A key space that tells its name, and writes down what is done to it.
#[derive(Clone)]
struct KeySpace {
    name: usize,
    says: Says,
    ready: bool,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Service<RevocationRequest<&'static str>> for KeySpace {
    type Response = Outcome;
    type Error = BoxError;
    type Future = Ready<Result<Outcome, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = true;
        self.events.lock().unwrap().push(Event::Readied(self.name));
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RevocationRequest<&'static str>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called while not ready");
        assert_eq!(
            (request.client, request.token.expose()),
            ("s6BhdRkqt3", "45ghiukldjahdnhzdauz")
        );
        self.events.lock().unwrap().push(Event::Asked(self.name));
        ready(self.says.ok_or_else(|| NAMES[self.name].into()))
    }
}

/// The answer of three key spaces, and in which order they gave it.
fn ask(says: [Says; 3], hint: Option<&str>) -> (Result<Outcome, String>, Vec<Event>) {
    let events = Arc::default();
    let space = |name| KeySpace {
        name,
        says: says[name],
        ready: false,
        events: Arc::clone(&events),
    };
    let backend = ByHint::new(space(0), space(1)).with(NAMES[2], space(2));
    let mut request = RevocationRequest::new("s6BhdRkqt3", Secret::new("45ghiukldjahdnhzdauz"));
    if let Some(hint) = hint {
        request = request.hint(hint.into());
    }
    let answer = block_on(backend.oneshot(request)).map_err(|error| error.to_string());
    let events = events.lock().unwrap().clone();
    (answer, events)
}

fn strongest(says: [Says; 3]) -> Says {
    let strength = |says: &Says| ALL.iter().position(|other| other == says);
    says.into_iter().min_by_key(strength).unwrap()
}

/// All 125 combinations, with all hints.
fn combinations() -> impl Iterator<Item = [Says; 3]> {
    ALL.into_iter().flat_map(|one| {
        ALL.into_iter()
            .flat_map(move |two| ALL.into_iter().map(move |three| [one, two, three]))
    })
}

#[test]
fn strongest_outcome_wins_whatever_the_hint() {
    for says in combinations() {
        let (unhinted, _) = ask(says, None);
        assert_eq!(unhinted.as_ref().ok().copied(), strongest(says), "{says:?}");
        for hint in HINTS {
            // Errors too are the same one, whoever was asked first.
            assert_eq!(ask(says, hint).0, unhinted, "{says:?} with {hint:?}");
        }
    }
}

#[test]
fn hinted_key_space_is_called_first_and_each_at_most_once() {
    for says in combinations() {
        for hint in HINTS {
            let (_, events) = ask(says, hint);
            let mut asked = Vec::new();
            for pair in events.chunks(2) {
                // Waited for only when it is its turn.
                let &[Event::Readied(readied), Event::Asked(name)] = pair else {
                    panic!("{says:?} with {hint:?}: {events:?}");
                };
                assert_eq!(readied, name);
                assert!(!asked.contains(&name), "{says:?} with {hint:?}: {events:?}");
                asked.push(name);
            }

            if let Some(hinted) = NAMES.iter().position(|&name| Some(name) == hint) {
                assert_eq!(asked[0], hinted);
            }
            match asked
                .iter()
                .position(|&name| says[name] == Some(Outcome::Revoked))
            {
                Some(revoked) => assert_eq!(revoked + 1, asked.len(), "nobody is asked after it"),
                None => assert_eq!(asked.len(), 3, "nobody is left out"),
            }
        }
    }
}

/// Being ready can cost something, and can fail.
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
        let answer = block_on(ByHint::new(Gone, hit).oneshot(request.clone())).unwrap();
        assert_eq!(answer, Outcome::Revoked);
        let error = block_on(ByHint::new(Gone, miss).oneshot(request)).unwrap_err();
        let error = error.downcast::<Error>().unwrap();
        assert_eq!(error.kind(), ErrorKind::TooManyRequests);
    }
}

proptest! {
    /// Whatever text a hint is made of.
    #[test]
    fn no_hint_changes_the_outcome(
        hint in any::<String>(),
        says in prop::array::uniform3(prop::sample::select(ALL.to_vec())),
    ) {
        let (answer, _) = ask(says, Some(&hint));
        prop_assert_eq!(answer.ok(), strongest(says));
    }
}
