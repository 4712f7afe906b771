//! Guesses against both readings of Basic.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::future::join_all;
use tower::{BoxError, Layer as _};
use tower_revocation::{
    ErrorKind, Secret,
    client::{
        Refusal, SecretDigest,
        limit::LimitFailuresLayer,
        registry::{BasicDecoding, Client, ClientAuthenticator, Clients, Registry},
    },
};

use super::{are_counted, basic, chosen, from, generated, passwords, without_workers};

/// A database whose lookup fails for identifiers with this character.
#[derive(Clone)]
struct Fragile {
    clients: Registry,
    refused: char,
    asked: Arc<AtomicUsize>,
}

impl Fragile {
    fn new(client: Client, refused: char) -> Self {
        Self {
            clients: Registry::from_iter([client]),
            refused,
            asked: Arc::default(),
        }
    }
}

impl Clients for Fragile {
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, BoxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if client_id.contains(self.refused) {
            return Err("the database does not take such a name".into());
        }
        self.clients.client(client_id).await
    }
}

#[test]
fn wrong_reading_counts_even_if_the_other_lookup_fails() {
    // The second reading fails, then the first.
    let form = Fragile::new(generated("victim"), '%');
    let raw = generated("vic+tim")
        .into_builder()
        .basic_decoding(BasicDecoding::Raw)
        .build();
    let raw = Fragile::new(raw, ' ');
    for (clients, guess, right) in [
        (form, "v%69ctim:guess", "victim:gX1fBat3bV"),
        (raw, "vic+tim:guess", "vic+tim:gX1fBat3bV"),
    ] {
        let authenticator = ClientAuthenticator::new(clients);
        let error = without_workers(&authenticator, basic(guess)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidClient, "{guess}");
        assert_eq!(error.refusal(), Some(Refusal::WrongSecret), "{guess}");
        // For the log.
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), "unavailable");
        without_workers(&authenticator, basic(right)).unwrap();
        let limited = LimitFailuresLayer::new().layer(authenticator);
        are_counted(&limited, guess, right);
    }
}

#[test]
fn correct_reading_succeeds_even_if_the_other_lookup_fails() {
    let authenticator = ClientAuthenticator::new(Fragile::new(generated("a b"), '%'));
    let client = without_workers(&authenticator, basic("a%20b:gX1fBat3bV")).unwrap();
    assert_eq!(client.client_id(), "a b");
    // The response does not show whether the client exists.
    for user_pass in ["c%20d:gX1fBat3bV", "a%20b:guess"] {
        let error = without_workers(&authenticator, basic(user_pass)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidClient, "{user_pass}");
    }
    // If neither reading can be looked up, the result is unknown.
    let error = without_workers(&authenticator, basic("c%25d:guess")).unwrap_err();
    assert_eq!(
        (error.kind(), error.refusal()),
        (ErrorKind::Unavailable, None)
    );
}

#[test]
fn one_client_is_looked_up_once_for_both_readings() {
    let clients = Fragile::new(generated("victim"), '%');
    let authenticator = ClientAuthenticator::new(clients.clone());
    for user_pass in ["victim:%73ecret", "nobody:%73ecret"] {
        clients.asked.store(0, Ordering::SeqCst);
        without_workers(&authenticator, basic(user_pass)).unwrap_err();
        assert_eq!(clients.asked.load(Ordering::SeqCst), 1, "{user_pass}");
    }
}

#[test]
fn only_the_registered_reading_decides() {
    // The secret is stored in a way that is not configured, so the result is unknown.
    let secret = Secret::new("a%b");
    let unknown = |decoding| {
        let digest = SecretDigest::hmac_sha256(b"Jefe", &secret);
        let client = Client::builder("c")
            .secret(digest)
            .basic_decoding(decoding)
            .build();
        ClientAuthenticator::new(Registry::from_iter([client]))
    };
    for (decoding, user_pass) in [
        (BasicDecoding::Raw, "c:a%25b"),
        (BasicDecoding::Form, "c:a%25b"),
        (BasicDecoding::FormThenRaw, "c:a%25b"),
    ] {
        let authenticator = unknown(decoding);
        let error = without_workers(&authenticator, basic(user_pass)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{decoding:?}");
        assert_eq!(error.refusal(), None, "{decoding:?}");
    }
}

#[tokio::test]
async fn concurrent_guesses_in_two_readings_all_count() {
    // So many at once that some find no permit.
    let clients = [
        chosen("victim"),
        generated("digest"),
        chosen("raw")
            .into_builder()
            .basic_decoding(BasicDecoding::Raw)
            .build(),
        chosen("both")
            .into_builder()
            .basic_decoding(BasicDecoding::FormThenRaw)
            .build(),
    ];
    let authenticator = ClientAuthenticator::new(Registry::from_iter(clients));
    let authenticator = authenticator.passwords(passwords());
    for client_id in ["victim", "digest", "raw", "both", "nobody"] {
        let guess = format!("{client_id}:%73ecre");
        let guesses = (0..8).map(|_| {
            let request = from("192.0.2.66:4000", basic(&guess));
            let authenticator = authenticator.clone();
            async move { authenticator.authenticate(&request).await }
        });
        for response in join_all(guesses).await {
            let error = response.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidClient, "{client_id}");
        }
    }
}
