//! Permits, memory and decoys, with the clock and the work in hand.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::OwnedSemaphorePermit;
use tokio_test::{assert_pending, task};

use super::{PasswordHash, Passwords, passwords::first_match, remembered::Remembered};
use crate::{
    endpoint::{Error, ErrorKind},
    token::Secret,
};

const CLIENT: &str = "s6BhdRkqt3";
const MINUTE: Duration = Duration::from_secs(60);

/// Of "secret".
fn hash() -> PasswordHash {
    PasswordHash::parse("$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW").unwrap()
}

/// Of "secret" too.
fn same_with_another_salt() -> PasswordHash {
    PasswordHash::parse(&bcrypt::hash("secret", 4).unwrap()).unwrap()
}

/// As if so many verifications were running.
fn take_all(passwords: &Passwords) -> OwnedSemaphorePermit {
    let permits = Arc::clone(&passwords.workers.permits);
    let all = u32::try_from(permits.available_permits()).unwrap();
    permits.try_acquire_many_owned(all).unwrap()
}

async fn verify_at(
    passwords: &Passwords,
    now: Instant,
    client_id: &str,
    secret: &str,
    hash: &PasswordHash,
) -> Result<bool, ErrorKind> {
    passwords
        .verify_at(now, client_id, &Secret::new(secret), [Some(hash), None])
        .await
        .map_err(|error| error.kind())
}

fn cause(error: &Error) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

#[tokio::test]
async fn verification_without_a_permit_is_refused_at_once() {
    let passwords = Passwords::new()
        .permits(1)
        .retry_after(Duration::from_secs(7));
    let _all = take_all(&passwords);
    let secret = Secret::new("secret");

    for hashes in [[Some(&hash()), None], [None, None]] {
        let error = passwords.verify(CLIENT, &secret, hashes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(cause(&error), "too many passwords are being verified");
    }
}

#[tokio::test]
async fn dropped_future_keeps_its_permit_until_the_work_ends() {
    let passwords = Passwords::new().permits(2);
    let permits = &passwords.workers.permits;
    let (end, ended) = mpsc::channel::<()>();

    let mut run = task::spawn(passwords.workers.run(move || ended.recv()));
    assert_pending!(run.poll());
    drop(run);
    assert_eq!(permits.available_permits(), 1);

    end.send(()).unwrap();
    drop(permits.acquire_many(2).await.unwrap());
}

#[tokio::test]
async fn work_runs_on_another_thread() {
    let passwords = Passwords::new();
    let worker = passwords.workers.run(|| thread::current().id()).await;
    assert_ne!(worker.unwrap(), thread::current().id());
}

#[tokio::test]
async fn panic_is_unavailable_and_gives_its_permit_back() {
    let passwords = Passwords::new().permits(1);
    for _ in 0..2 {
        let run = passwords.workers.run(|| panic!("on purpose"));
        let error = run.await.map(|()| "no error").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(cause(&error).contains("panicked"), "{}", cause(&error));
    }
}

#[test]
fn without_a_runtime_it_is_a_server_error() {
    let (passwords, secret) = (Passwords::new(), Secret::new("secret"));
    let verification = passwords.verify(CLIENT, &secret, [None, None]);
    let error = futures::executor::block_on(verification).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerError);
}

#[tokio::test]
async fn remembered_secret_needs_no_work_until_its_end() {
    let (passwords, start) = (Passwords::new(), Instant::now());
    let at = |after| start + after;
    assert_eq!(
        verify_at(&passwords, start, CLIENT, "secret", &hash()).await,
        Ok(true)
    );

    let _all = take_all(&passwords);
    // Using it does not prolong it.
    for after in [0, 30, 59] {
        let now = at(Duration::from_secs(after));
        assert_eq!(
            verify_at(&passwords, now, CLIENT, "secret", &hash()).await,
            Ok(true)
        );
    }
    let verified = verify_at(&passwords, at(MINUTE), CLIENT, "secret", &hash()).await;
    assert_eq!(verified, Err(ErrorKind::Unavailable));
}

#[tokio::test]
async fn remembered_is_this_secret_of_this_client_under_this_hash() {
    let (passwords, now) = (Passwords::new(), Instant::now());
    assert_eq!(
        verify_at(&passwords, now, CLIENT, "secret", &hash()).await,
        Ok(true)
    );

    let _all = take_all(&passwords);
    let work = Err(ErrorKind::Unavailable);
    let other = same_with_another_salt();
    assert_eq!(
        verify_at(&passwords, now, CLIENT, "secreT", &hash()).await,
        work
    );
    assert_eq!(
        verify_at(&passwords, now, "other", "secret", &hash()).await,
        work
    );
    assert_eq!(
        verify_at(&passwords, now, CLIENT, "secret", &other).await,
        work
    );

    // The older hash of two is recalled as well.
    let secret = Secret::new("secret");
    let hashes = [Some(&other), Some(&hash())];
    assert!(
        passwords
            .verify_at(now, CLIENT, &secret, hashes)
            .await
            .unwrap()
    );
    let removed = passwords
        .verify_at(now, CLIENT, &secret, [None, None])
        .await;
    assert_eq!(removed.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn wrong_secret_is_not_remembered() {
    let (passwords, now) = (Passwords::new(), Instant::now());
    assert_eq!(
        verify_at(&passwords, now, CLIENT, "guess", &hash()).await,
        Ok(false)
    );

    let _all = take_all(&passwords);
    let again = verify_at(&passwords, now, CLIENT, "guess", &hash()).await;
    assert_eq!(again, Err(ErrorKind::Unavailable));
}

#[tokio::test]
async fn remembering_can_be_turned_off() {
    let passwords = Passwords::new().remembered_for(Duration::ZERO);
    let now = Instant::now();
    assert_eq!(
        verify_at(&passwords, now, CLIENT, "secret", &hash()).await,
        Ok(true)
    );

    let _all = take_all(&passwords);
    let again = verify_at(&passwords, now, CLIENT, "secret", &hash()).await;
    assert_eq!(again, Err(ErrorKind::Unavailable));
}

#[test]
fn memory_is_bounded_and_its_key_is_its_own() {
    let (remembered, now) = (Remembered::new(), Instant::now());
    let (hash, secret) = (hash(), Secret::new("secret"));
    let kept: Vec<_> = (0..20_000)
        .map(|n| remembered.fingerprint(&format!("client-{n}"), &hash, &secret))
        .inspect(|fingerprint| remembered.keep(*fingerprint, now, MINUTE))
        .collect();
    let recalled = kept.iter().filter(|it| remembered.recalls(it, now)).count();
    assert!((1..=10_000).contains(&recalled), "{recalled}");

    let elsewhere = Remembered::new().fingerprint("client-0", &hash, &secret);
    assert_ne!(elsewhere, kept[0]);
}

#[test]
fn without_a_hash_the_decoy_is_verified_and_does_not_count() {
    let (mut asked, decoy) = (Vec::new(), hash());
    let matching = first_match(&[], &decoy, |hash| {
        asked.push(hash.as_str().to_owned());
        Ok(true)
    });
    assert_eq!(matching.unwrap(), None);
    assert_eq!(asked, [decoy.as_str()]);
}

#[test]
fn second_hash_is_verified_only_if_the_first_does_not_match() {
    let (hashes, decoy) = ([hash(), same_with_another_salt()], hash());
    for (first, answer, verified) in [(true, Some(0), 1), (false, Some(1), 2)] {
        let mut asked = Vec::new();
        let matching = first_match(&hashes, &decoy, |hash| {
            asked.push(hash.as_str().to_owned());
            Ok(first || asked.len() == 2)
        });
        assert_eq!(matching.unwrap(), answer);
        let expected: Vec<_> = hashes.iter().map(PasswordHash::as_str).collect();
        assert_eq!(asked, expected[..verified]);
    }
}

#[test]
fn failed_work_is_no_refusal() {
    let matching = first_match(&[hash()], &hash(), |_| Err("out of memory".into()));
    assert_eq!(matching.unwrap_err().to_string(), "out of memory");
}
