//! The client that an attestation claims counts like a `client_id`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::executor::block_on;
use hyper::{HeaderMap, Request};
use tower::ServiceExt as _;
use tower_revocation::client::Credentials;

use super::{ATTACKER, VICTIM, always, from};

fn attestation(subject: &str) -> String {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let header = encode(r#"{"alg":"ES256","typ":"oauth-client-attestation+jwt"}"#);
    let claims = encode(&format!(r#"{{"iss":"a","sub":"{subject}"}}"#));
    format!("{header}.{claims}.AAAA")
}

fn attested(peer: &str, subject: &str) -> Request<Credentials> {
    let mut request = from(peer, Credentials::Attestation { client_id: None });
    let field = attestation(subject).parse().unwrap();
    request
        .headers_mut()
        .insert(Credentials::ATTESTATION, field);
    request
}

#[test]
fn attested_subjects_of_one_address_are_counted_separately() {
    let (limited, _) = always::<(), _>(|| Ok(None));
    let ask = |peer, subject| block_on(limited.clone().oneshot(attested(peer, subject)));
    for _ in 0..10 {
        ask(ATTACKER, "forged").unwrap();
    }
    ask(ATTACKER, "forged").unwrap_err();
    for _ in 0..10 {
        ask(ATTACKER, "app").unwrap();
    }
    ask(ATTACKER, "app").unwrap_err();
    ask(VICTIM, "app").unwrap();
    // A `client_id` in the body is the same client.
    let client_id = Some("app".to_owned());
    let named = from(ATTACKER, Credentials::Attestation { client_id });
    block_on(limited.clone().oneshot(named)).unwrap_err();
}

#[test]
fn random_subjects_reset_no_count_of_their_address() {
    let (limited, asked) = always::<(), _>(|| Ok(None));
    for number in 0..5000 {
        let request = attested(ATTACKER, &format!("made-up-{number}"));
        let _ = block_on(limited.clone().oneshot(request));
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 100);
    block_on(limited.oneshot(attested(VICTIM, "app"))).unwrap();
}

#[test]
fn subject_needs_exactly_one_attestation() {
    let credentials = Credentials::Attestation { client_id: None };
    let mut head = HeaderMap::new();
    assert_eq!(credentials.claimed_by(&head), None);
    head.append(Credentials::ATTESTATION, "garbage".parse().unwrap());
    assert_eq!(credentials.claimed_by(&head), None);
    let app = || attestation("app").parse().unwrap();
    head.insert(Credentials::ATTESTATION, app());
    assert_eq!(credentials.claimed_by(&head).as_deref(), Some("app"));
    head.append(Credentials::ATTESTATION, app());
    assert_eq!(credentials.claimed_by(&head), None);
}
