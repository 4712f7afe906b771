//! What counts as a failure, and for whom.

use std::{fmt, future::pending, sync::atomic::Ordering, time::Duration};

use futures::{FutureExt as _, executor::block_on};
use hyper::Request;
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind, Secret,
    client::{Credentials, limit::LimitFailuresLayer},
};

use super::{ATTACKER, VICTIM, always, claim, from, kind};

#[test]
fn cancelled_attempt_counts_as_a_failure() {
    let stalled = service_fn(|_: Request<Credentials>| pending::<Result<Option<()>, BoxError>>());
    let limited = LimitFailuresLayer::new().layer(stalled);
    for _ in 0..10 {
        let attempt = limited.clone().oneshot(claim("s6BhdRkqt3"));
        assert!(attempt.now_or_never().is_none());
    }
    let response = limited.oneshot(claim("s6BhdRkqt3")).now_or_never();
    let error = response.expect("a refusal does not wait").unwrap_err();
    let error: Box<Error> = error.downcast().unwrap();
    assert!(error.retry_delay().unwrap() > Duration::from_secs(1));
}

#[test]
fn attempt_is_settled_when_it_completes_even_if_its_future_is_kept() {
    let (limited, asked) = always(|| Ok(Some(())));
    let mut kept = Vec::new();
    for _ in 0..50 {
        let mut attempt = Box::pin(limited.clone().oneshot(claim("s6BhdRkqt3")));
        block_on(attempt.as_mut()).unwrap().unwrap();
        kept.push(attempt);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 50);
}

#[test]
fn unknown_results_do_not_count() {
    let errors: [fn() -> BoxError; 3] = [
        || "the database is down".into(),
        || Error::new(ErrorKind::Unavailable).into(),
        || Error::new(ErrorKind::InvalidRequest).into(),
    ];
    for error in errors {
        let (limited, asked) = always::<(), _>(move || Err(error()));
        for _ in 0..50 {
            let error = block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap_err();
            assert_ne!(kind(&error), Some(ErrorKind::TooManyRequests));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 50);
    }
}

/// An authenticator with its own error type.
#[derive(Debug)]
struct Wrapped(Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not authenticated")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn invalid_client_error_counts_as_a_failure() {
    let errors: [fn() -> BoxError; 2] = [
        || Error::new(ErrorKind::InvalidClient).into(),
        || Wrapped(Error::new(ErrorKind::InvalidClient)).into(),
    ];
    for error in errors {
        let (limited, asked) = always::<(), _>(move || Err(error()));
        for _ in 0..10 {
            let error = block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap_err();
            assert_ne!(kind(&error), Some(ErrorKind::TooManyRequests));
        }
        let error = block_on(limited.oneshot(claim("s6BhdRkqt3"))).unwrap_err();
        assert_eq!(kind(&error), Some(ErrorKind::TooManyRequests));
        assert_eq!(asked.load(Ordering::SeqCst), 10);
    }
}

#[test]
fn random_client_ids_do_not_reset_the_count_of_their_address() {
    let (limited, asked) = always::<(), _>(|| Ok(None));
    for _ in 0..10 {
        block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap();
    }
    for number in 0..5000 {
        let _ = block_on(limited.clone().oneshot(claim(&number.to_string())));
    }
    block_on(limited.clone().oneshot(claim("s6BhdRkqt3"))).unwrap_err();
    // A hundred clients including the first. The authenticator is not called for the others.
    assert_eq!(asked.load(Ordering::SeqCst), 10 + 99);

    let client_id = "s6BhdRkqt3".to_owned();
    let elsewhere = from(VICTIM, Credentials::ClientId { client_id });
    block_on(limited.oneshot(elsewhere)).unwrap();
}

#[test]
fn assertions_without_a_subject_count_by_their_address() {
    let (limited, asked) = always::<(), _>(|| Ok(None));
    let assertion = |peer| {
        let credentials = Credentials::Assertion {
            client_id: None,
            client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".into(),
            client_assertion: Secret::new("e30.e30."),
        };
        from(peer, credentials)
    };
    for _ in 0..20 {
        let _ = block_on(limited.clone().oneshot(assertion(ATTACKER)));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 10);
    block_on(limited.oneshot(assertion(VICTIM))).unwrap();
}
