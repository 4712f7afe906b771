//! What events do not contain.

use futures::executor::block_on;
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest};

use super::requests::kinds;
use super::{authenticate, events, inner, layer, only_event, post, send};

#[test]
fn control_characters_of_a_cause_reach_no_event() {
    let backend = service_fn(async |_: RevocationRequest<String>| {
        // A cause may quote the client: a line break, a terminal command, and Unicode controls.
        let quoted = "no such row\n2026-11-26 ERROR forged\r\u{1b}[2J\t\0\u{7f}\u{9b}31m\u{85}end";
        let cause = std::io::Error::other(quoted);
        let error = Error::new(ErrorKind::Unavailable).caused_by(cause);
        Err::<Outcome, _>(BoxError::from(error))
    });
    let layer = RevocationLayer::new("/revoke", service_fn(authenticate), backend);
    let request = post("token=live-t0ken&client_id=spa-1");
    let event = only_event(|| {
        block_on(layer.layer(service_fn(inner)).oneshot(request)).unwrap();
    });
    assert_eq!(
        event.field("cause").unwrap(),
        "unavailable: no such row?2026-11-26 ERROR forged??[2J????31m?end"
    );
}

#[test]
fn no_event_contains_a_token_a_secret_or_an_assertion() {
    let events = events(|| {
        for (request, _) in kinds() {
            send(request);
        }
    });
    assert_eq!(events.len(), kinds().len());
    let all = format!("{events:?}");
    for secret in [
        "t0ken",
        "s3cr3t",
        "a55ert10n",
        "b4s1c",
        "YmFzaWM6YjRzMWM",
        "czNjcjN0",
        "Basic",
    ] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

/// A `client_id` cannot begin a new line, nor fill the disk.
#[test]
fn client_id_in_an_event_is_escaped_and_cut() {
    let event = only_event(|| send(post("token=live-t0ken&client_id=a%0Ab%1B")));
    assert_eq!(event.field("client_id"), Some(r#""a\nb\u{1b}""#));
    let long = "é".repeat(1000);
    let event = only_event(|| send(post(&format!("token=live-t0ken&client_id={long}"))));
    assert_eq!(
        event.field("client_id"),
        Some(&*format!("\"{}\"", "é".repeat(128)))
    );
}

/// The fingerprint of a token with a key, or with the random key of the process.
fn fingerprint(token: &str, key: Option<[u8; 32]>) -> String {
    let layer = match key {
        Some(key) => layer().fingerprint_key(key),
        None => layer(),
    };
    let request = post(&format!("token={token}&client_id=spa-1"));
    let event = only_event(|| {
        block_on(layer.layer(service_fn(inner)).oneshot(request)).unwrap();
    });
    event.field("token").unwrap().to_owned()
}

#[test]
fn equal_tokens_under_one_key_have_equal_fingerprints() {
    for key in [None, Some([1; 32]), Some([2; 32])] {
        let one = fingerprint("one", key);
        assert_eq!(one.len(), 16);
        assert!(one.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_eq!(one, fingerprint("one", key));
        assert_ne!(one, fingerprint("two", key));
    }
    assert_ne!(
        fingerprint("one", Some([1; 32])),
        fingerprint("one", Some([2; 32]))
    );
    assert_ne!(fingerprint("one", None), fingerprint("one", Some([1; 32])));
}

/// The first eight bytes of an HMAC-SHA-256, which everyone with the key can compute.
#[test]
fn fingerprint_is_a_keyed_digest() {
    // `printf one | openssl mac -digest SHA256 -macopt hexkey:$(printf '01%.0s' $(seq 32)) HMAC`
    assert_eq!(fingerprint("one", Some([1; 32])), "a80f93cf75fcc630");
}
