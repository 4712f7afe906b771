//! Secrets that are remembered after a verification.

use std::time::{Duration, Instant};

use crate::client::password::remembered::Remembered;
use crate::{error::ErrorKind, token::Secret};

use super::{CLIENT, MINUTE, hash, narrow, same_with_another_salt, take_all, verify_at};

#[tokio::test]
async fn remembered_secret_needs_no_work_until_it_expires() {
    let (passwords, start) = (narrow(), Instant::now());
    let at = |after| start + after;
    assert_eq!(
        verify_at(&passwords, start, CLIENT, "secret", &hash()).await,
        Ok(true)
    );

    let _all = take_all(&passwords);
    // Use does not extend the time.
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
async fn only_the_same_secret_client_and_hash_is_remembered() {
    let (passwords, now) = (narrow(), Instant::now());
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

    // The older one of two hashes is remembered too.
    let secret = Secret::new("secret");
    let hashes = [Some(&other), Some(&hash())];
    assert!(
        passwords
            .verification(None)
            .verify_at(now, CLIENT, &secret, hashes)
            .await
            .unwrap()
    );
    let removed = passwords
        .verification(None)
        .verify_at(now, CLIENT, &secret, [None, None])
        .await;
    assert_eq!(removed.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn wrong_secret_is_not_remembered() {
    let (passwords, now) = (narrow(), Instant::now());
    assert_eq!(
        verify_at(&passwords, now, CLIENT, "guess", &hash()).await,
        Ok(false)
    );

    let _all = take_all(&passwords);
    let again = verify_at(&passwords, now, CLIENT, "guess", &hash()).await;
    assert_eq!(again, Err(ErrorKind::Unavailable));
}

#[tokio::test]
async fn remembering_can_be_disabled() {
    let passwords = narrow().remembered_for(Duration::ZERO);
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
fn memory_is_bounded_and_has_its_own_key() {
    let (remembered, now) = (Remembered::new(), Instant::now());
    let (hash, secret) = (hash(), Secret::new("secret"));
    let kept: Vec<_> = (0..20_000)
        .map(|n| remembered.fingerprint(&format!("client-{n}"), &hash, &secret))
        .inspect(|fingerprint| remembered.keep(*fingerprint, now, MINUTE))
        .collect();
    let recalled = kept
        .iter()
        .filter(|it| remembered.contains(it, now))
        .count();
    assert!((1..=10_000).contains(&recalled), "{recalled}");

    let elsewhere = Remembered::new().fingerprint("client-0", &hash, &secret);
    assert_ne!(elsewhere, kept[0]);
}
