//! Permits, memory and decoys, with the clock and the work of the test.

mod remembered;

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use hyper::Request;
use tokio_test::{assert_pending, task};

use super::{PasswordHash, Passwords, fair_queue::Permit, passwords::first_match};
use crate::{
    client::{
        Basic, Credentials, SecretDigest,
        registry::{Client, ClientAuthenticator, Registry},
    },
    error::{Error, ErrorKind},
    token::Secret,
};

const CLIENT: &str = "s6BhdRkqt3";
const MINUTE: Duration = Duration::from_secs(60);

/// Of "secret".
fn hash() -> PasswordHash {
    PasswordHash::parse("$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW").unwrap()
}

/// Also of "secret".
fn same_with_another_salt() -> PasswordHash {
    PasswordHash::parse(&bcrypt::hash("secret", 4).unwrap()).unwrap()
}

/// One permit and no queue: a second verification is refused.
fn narrow() -> Passwords {
    Passwords::new().permits(1).queue(0)
}

/// Takes all permits, as running verifications do.
fn take_all(passwords: &Passwords) -> Vec<Permit> {
    let (permits, _) = passwords.workers.fair_queue.bounds();
    let permit = |_| passwords.workers.fair_queue.permit(None).now_or_never();
    (0..permits)
        .map(permit)
        .map(|it| it.unwrap().unwrap())
        .collect()
}

async fn verify_at(
    passwords: &Passwords,
    now: Instant,
    client_id: &str,
    secret: &str,
    hash: &PasswordHash,
) -> Result<bool, ErrorKind> {
    passwords
        .verification(None)
        .verify_at(now, client_id, &Secret::new(secret), [Some(hash), None])
        .await
        .map_err(|error| error.kind())
}

fn cause(error: &Error) -> String {
    std::error::Error::source(error).unwrap().to_string()
}

#[tokio::test]
async fn full_queue_refuses_at_once() {
    let passwords = narrow().retry_after(Duration::from_secs(7));
    let _all = take_all(&passwords);
    let secret = Secret::new("secret");

    for hashes in [[Some(&hash()), None], [None, None]] {
        let error = passwords.verify(CLIENT, &secret, hashes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.retry_delay(), Some(Duration::from_secs(7)));
        assert_eq!(
            cause(&error),
            "too many passwords are waiting to be verified"
        );
    }
}

#[tokio::test]
async fn refusals_of_a_full_queue_look_the_same_for_all_clients() {
    let digest = SecretDigest::sha256(&Secret::new("gX1fBat3bV"));
    let clients = Registry::from_iter([
        Client::confidential("digest", digest),
        Client::confidential("human", hash().into()),
        Client::public("spa-1"),
    ]);
    let passwords = narrow();
    let authenticator = ClientAuthenticator::new(clients).passwords(passwords.clone());
    let _all = take_all(&passwords);
    let authenticate = async |user_pass: &str| {
        let basic = Basic::new(user_pass).unwrap();
        let request = Request::new(Credentials::Basic(basic));
        authenticator.authenticate(&request).await
    };

    for client_id in ["digest", "human", "spa-1", "nobody"] {
        for guess in ["guess", "gu%65ss"] {
            let answer = authenticate(&format!("{client_id}:{guess}")).await;
            let error = answer.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{client_id}");
            assert_eq!(error.retry_delay(), Some(Duration::from_secs(1)));
            assert_eq!(
                cause(&error),
                "too many passwords are waiting to be verified"
            );
            // A guess that was checked counts.
            assert_eq!(error.refusal().is_some(), client_id != "human");
        }
    }
    // A correct digest needs no work.
    authenticate("digest:gX1fBat3bV").await.unwrap();
}

#[tokio::test]
async fn queued_verifications_all_run() {
    let passwords = Passwords::new().permits(1);
    let hash = hash();
    let guesses = (0..32).map(|guess| {
        let (passwords, hash) = (&passwords, &hash);
        async move {
            let secret = Secret::new(if guess == 31 { "secret" } else { "guess" });
            passwords.verify(CLIENT, &secret, [Some(hash), None]).await
        }
    });
    let verified = futures::future::join_all(guesses).await;
    for (guess, verified) in verified.into_iter().enumerate() {
        assert_eq!(verified.unwrap(), guess == 31);
    }
}

#[tokio::test]
async fn one_request_verifies_everything_with_one_permit() {
    let passwords = Passwords::new().permits(1);
    let mut verification = passwords.verification(None);
    let guess = Secret::new("guess");
    let hash = hash();
    for _ in 0..2 {
        let verified = verification
            .verify(CLIENT, &guess, [Some(&hash), None])
            .await;
        assert!(!verified.unwrap());
        // The permit was not returned in between.
        assert_eq!(passwords.workers.fair_queue.len(), (1, 0));
    }
    drop(verification);
    assert_eq!(passwords.workers.fair_queue.len(), (0, 0));
}

#[tokio::test]
async fn refused_request_verifies_none_of_its_readings() {
    let passwords = narrow();
    let mut verification = passwords.verification(None);
    let (secret, hash) = (Secret::new("secret"), hash());
    let all = take_all(&passwords);
    let first = verification.verify(CLIENT, &secret, [None, None]).await;
    assert_eq!(first.unwrap_err().kind(), ErrorKind::Unavailable);
    drop(all);
    let second = verification
        .verify(CLIENT, &secret, [Some(&hash), None])
        .await;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn addresses_of_one_subscriber_share_their_places() {
    // An address of the same /64, and an IPv4-mapped address.
    for (one, same, other) in [
        ("2001:db8::1", "2001:db8::2:3:4:5", "2001:db8:0:1::1"),
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
    ] {
        let passwords = Passwords::new().permits(1).queue(2);
        let _all = take_all(&passwords);
        let (secret, hash) = (Secret::new("guess"), hash());
        let verify = |address: &str| {
            let address = address.parse().unwrap();
            task::spawn(passwords.verify_from(address, CLIENT, &secret, [Some(&hash), None]))
        };
        let (mut first, mut second) = (verify(one), verify(same));
        assert_pending!(first.poll());
        assert_pending!(second.poll());
        // The second place of this subscriber, not the only place of another one.
        let mut third = verify(other);
        assert_pending!(third.poll());
        assert!(second.poll().is_ready(), "{same}");
        assert_pending!(first.poll());
    }
}

#[tokio::test]
async fn dropped_future_keeps_its_permit_until_the_work_ends() {
    let passwords = Passwords::new().permits(2);
    let fair_queue = &passwords.workers.fair_queue;
    let (end, ended) = mpsc::channel::<()>();

    let permit = Arc::new(fair_queue.permit(None).await.unwrap());
    let mut run = task::spawn(passwords.workers.run(permit, move || ended.recv()));
    assert_pending!(run.poll());
    drop(run);
    assert_eq!(fair_queue.len(), (1, 0));

    end.send(()).unwrap();
    // Both permits are free as soon as the work has ended.
    let both = [fair_queue.permit(None), fair_queue.permit(None)];
    futures::future::try_join_all(both).await.unwrap();
}

#[tokio::test]
async fn work_runs_on_another_thread() {
    let passwords = Passwords::new();
    let permit = passwords.workers.permit(None).await.unwrap();
    let worker = passwords.workers.run(permit, || thread::current().id());
    let worker = worker.await;
    assert_ne!(worker.unwrap(), thread::current().id());
}

#[tokio::test]
async fn panic_is_unavailable_and_returns_its_permit() {
    let passwords = narrow();
    for _ in 0..2 {
        let permit = passwords.workers.permit(None).await.unwrap();
        let run = passwords.workers.run(permit, || panic!("on purpose"));
        let error = run.await.map(|()| "no error").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(cause(&error).contains("panicked"), "{}", cause(&error));
    }
}

#[test]
fn verification_outside_a_runtime_is_a_server_error() {
    let (passwords, secret) = (Passwords::new(), Secret::new("secret"));
    let verification = passwords.verify(CLIENT, &secret, [None, None]);
    let error = futures::executor::block_on(verification).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerError);
}

#[test]
fn client_without_a_hash_costs_a_decoy_and_never_matches() {
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
fn failed_work_is_an_error_and_not_a_refusal() {
    let matching = first_match(&[hash()], &hash(), |_| Err("out of memory".into()));
    assert_eq!(matching.unwrap_err().to_string(), "out of memory");
}
