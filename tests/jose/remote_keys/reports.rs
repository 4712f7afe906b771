//! Errors and events, and settings that make no sense.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tower_revocation::jose::{KeySet, RemoteKeys};

use super::{
    impatient,
    server::{Does, Server, jwks, ok},
    told,
};

#[tokio::test]
async fn failure_with_a_usable_set_is_a_warning() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start(Does::HangUp).await;
    let (keys, uri) = (impatient(server.builder()).build(), server.uri());
    let uri = uri + "?key=C4nary_in_the_query";
    keys.keys(&uri, None).await.unwrap_err();
    server.does(Does::Respond(ok(jwks(["k1"]))));
    keys.keys(&uri, None).await.unwrap();
    // The caller received an error, so there is no event.
    assert_eq!(lines.0.lock().unwrap().len(), 0);

    server.does(Does::Respond(ok("C4nary_in_the_body")));
    keys.keys(&uri, None).await.unwrap();
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in [" WARN tower_revocation: ", &server.uri(), "not a JWK Set"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains("C4nary"), "{told}");
}

#[tokio::test]
async fn errors_contain_nothing_of_the_response() {
    let secret = "C4nary_in_the_body";
    let server = Server::start(Does::HangUp).await;
    for body in [
        format!("{{\"keys\":\"{secret}\"}}"),
        format!("{{\"keys\":[\"{secret}\"]}}"),
        format!("{{\"{secret}\":["),
        format!("{{\"keys\":[{{\"kty\":\"oct\",\"kid\":7,\"k\":\"{secret}\"}}]"),
        secret.to_owned(),
    ] {
        server.does(Does::Respond(ok(body.clone())));
        let told = match server.keys().keys(&server.uri(), None).await {
            // An unreadable key may be left out.
            Ok(keys) => format!("{keys:?}"),
            Err(error) => told(&error),
        };
        assert!(!told.contains(secret), "{body} {told}");
    }
}

#[test]
#[should_panic(expected = "no keys can be cached")]
fn capacity_of_zero_panics() {
    let _ = RemoteKeys::builder().capacity(0);
}

#[test]
#[should_panic(expected = "a set has at least one key")]
fn max_keys_of_zero_panics() {
    let _ = RemoteKeys::builder().max_keys(0);
}

#[test]
#[should_panic(expected = "a set has at least one byte")]
fn max_size_of_zero_panics() {
    let _ = RemoteKeys::builder().max_size(0);
}

#[test]
#[should_panic(expected = "without a candidate")]
fn max_candidates_of_zero_panics_for_fetched_sets() {
    let _ = RemoteKeys::builder().max_candidates(0);
}

#[test]
#[should_panic(expected = "without a candidate")]
fn max_candidates_of_zero_panics_for_a_set() {
    let set = KeySet::from_json(&jwks(["k1"])).unwrap();
    let _ = set.max_candidates(0);
}
