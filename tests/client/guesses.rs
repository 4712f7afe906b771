//! Guesses count, all get the same response, and block nobody else.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures::{executor::block_on, future::join_all};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest, Secret,
    client::{
        AuthMethod, Basic, Credentials, PeerAddr, Refusal, SecretDigest,
        limit::{LimitFailures, LimitFailuresLayer},
        password::{PasswordHash, Passwords},
        registry::{BasicDecoding, Client, ClientAuthenticator, Clients, Registry},
    },
};

/// Of "secret", with the lowest cost of bcrypt.
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

fn hash() -> PasswordHash {
    PasswordHash::parse(HASH).unwrap()
}

fn generated(client_id: &str) -> Client {
    Client::confidential(client_id, SecretDigest::sha256(&Secret::new("gX1fBat3bV")))
}

fn chosen(client_id: &str) -> Client {
    Client::confidential(client_id, hash().into())
}

fn passwords() -> Passwords {
    Passwords::new().permits(1).decoy(hash())
}

fn basic(user_pass: &str) -> Credentials {
    Credentials::Basic(Basic::new(user_pass).unwrap())
}

fn from(peer: &str, credentials: Credentials) -> Request<Credentials> {
    let mut request = Request::new(credentials);
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(PeerAddr(peer));
    request
}

/// Without a Tokio runtime no password can be verified, so the result is unknown.
fn without_workers<L: Clients>(
    authenticator: &ClientAuthenticator<L>,
    credentials: Credentials,
) -> Result<Arc<Client>, Error> {
    block_on(authenticator.authenticate(&Request::new(credentials)))
}

fn kind(response: Result<Option<Arc<Client>>, BoxError>) -> ErrorKind {
    response.unwrap_err().downcast::<Error>().unwrap().kind()
}

/// After ten guesses the authenticator is not called any more, not even with the correct secret.
fn are_counted<L>(limited: &LimitFailures<ClientAuthenticator<L>>, guess: &str, right: &str)
where
    L: Clients + Clone + Send + Sync + 'static,
{
    let ask = |user_pass| {
        let request = from("192.0.2.66:4000", basic(user_pass));
        block_on(limited.clone().oneshot(request))
    };
    for attempt in 0..10 {
        let kind = kind(ask(guess));
        assert_ne!(kind, ErrorKind::TooManyRequests, "{guess} {attempt}");
    }
    for user_pass in [guess, right] {
        assert_eq!(
            kind(ask(user_pass)),
            ErrorKind::TooManyRequests,
            "{user_pass}"
        );
    }
}

// Readings of Basic

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

// Secrets of one client

#[test]
fn wrong_secret_counts_even_if_another_cannot_be_compared() {
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let other = Secret::new("other");
    let rotating = generated("c1")
        .into_builder()
        .previous_secret(SecretDigest::hmac_sha256(b"Jefe", &other), later)
        .build();
    let authenticator = ClientAuthenticator::new(Registry::from_iter([rotating]));
    // The other secret may match.
    let error = without_workers(&authenticator, basic("c1:guess")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.refusal(), Some(Refusal::WrongSecret));
    without_workers(&authenticator, basic("c1:gX1fBat3bV")).unwrap();
    let limited = LimitFailuresLayer::new().layer(authenticator);
    are_counted(&limited, "c1:guess", "c1:gX1fBat3bV");

    // A password hash without a verifier.
    let rotating = generated("c1")
        .into_builder()
        .previous_secret(hash().into(), later)
        .build();
    let authenticator = ClientAuthenticator::new(Registry::from_iter([rotating]));
    let limited = LimitFailuresLayer::new().layer(authenticator);
    are_counted(&limited, "c1:guess", "c1:gX1fBat3bV");
}

#[test]
fn guesses_count_even_if_the_decoy_fails() {
    let clients = Registry::from_iter([
        generated("digest"),
        chosen("human"),
        generated("post")
            .into_builder()
            .auth_methods([AuthMethod::ClientSecretPost])
            .build(),
    ]);
    let authenticator = ClientAuthenticator::new(clients).passwords(passwords());
    let error = |user_pass| without_workers(&authenticator, basic(user_pass)).unwrap_err();

    // The same response for all. Otherwise it would reveal which clients have a hash.
    for (user_pass, refusal) in [
        ("digest:guess", Some(Refusal::WrongSecret)),
        ("nobody:guess", Some(Refusal::UnknownClient)),
        ("post:guess", Some(Refusal::MethodNotRegistered)),
        ("human:guess", None),
        ("digest:gu%65ss", Some(Refusal::WrongSecret)),
        ("human:gu%65ss", None),
    ] {
        let error = error(user_pass);
        assert_eq!(error.kind(), ErrorKind::ServerError, "{user_pass}");
        assert_eq!(error.refusal(), refusal, "{user_pass}");
    }
    // A correct digest needs no work.
    without_workers(&authenticator, basic("digest:gX1fBat3bV")).unwrap();
    without_workers(&authenticator, basic("digest:gX1fB%61t3bV")).unwrap();
    let limited = LimitFailuresLayer::new().layer(authenticator);
    are_counted(&limited, "digest:guess", "digest:gX1fBat3bV");
}

// Passwords under load

#[test]
fn no_decoy_without_a_registered_hash() {
    let mut clients = Registry::from_iter([generated("digest")]);
    let authenticator =
        |clients: &Registry| ClientAuthenticator::new(clients.clone()).passwords(passwords());
    let kind = |clients: &Registry, user_pass| {
        let error = without_workers(&authenticator(clients), basic(user_pass)).unwrap_err();
        error.kind()
    };
    for user_pass in ["digest:guess", "nobody:guess", "nobody:%67uess"] {
        assert_eq!(kind(&clients, user_pass), ErrorKind::InvalidClient);
    }
    // With the first client that has a hash there is a decoy, and without the last one there is
    // none.
    clients.insert(chosen("human"));
    assert_eq!(kind(&clients, "nobody:guess"), ErrorKind::ServerError);
    clients.insert(chosen("human"));
    clients.insert(generated("human"));
    assert_eq!(kind(&clients, "nobody:guess"), ErrorKind::InvalidClient);

    let document = format!(r#"{{ "client_id": "human", "client_secret_hash": "{HASH}" }}"#);
    let clients = Registry::from_json(&document).unwrap();
    assert_eq!(kind(&clients, "nobody:guess"), ErrorKind::ServerError);
}

/// The response to one revocation with Basic.
async fn revoke(
    authenticator: ClientAuthenticator<Registry>,
    peer: Option<SocketAddr>,
    user_pass: String,
) -> (StatusCode, HeaderMap, Bytes) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let backend =
        service_fn(async |_: RevocationRequest<Arc<Client>>| Ok::<_, BoxError>(Outcome::Revoked));
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let service = RevocationLayer::new("/revoke", authenticator, backend).layer(inner);
    let mut request = Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .header(
            "authorization",
            format!("Basic {}", STANDARD.encode(user_pass)),
        )
        .body(Full::from("token=rt1"))
        .unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(PeerAddr(peer));
    }
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    // Guesses are not an alarm.
    let error = head.extensions.get::<Error>();
    assert!(error.is_none_or(|error| !error.is_alarm()), "{error:?}");
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, head.headers, body)
}

fn world() -> ClientAuthenticator<Registry> {
    let clients = [
        generated("digest"),
        chosen("human"),
        Client::public("spa-1"),
    ];
    ClientAuthenticator::new(Registry::from_iter(clients)).passwords(passwords())
}

#[tokio::test]
async fn concurrent_wrong_secrets_get_the_same_response() {
    let authenticator = world();
    let clients = ["digest", "human", "spa-1", "nobody"];
    for peer in [None, Some("192.0.2.66:4000".parse().unwrap())] {
        let guesses = (0..60).map(|guess| {
            let client_id = clients[guess % clients.len()];
            revoke(
                authenticator.clone(),
                peer,
                format!("{client_id}:guess{guess}"),
            )
        });
        let responses = join_all(guesses).await;
        assert_eq!(responses[0].0, 401);
        assert!(responses.iter().all(|response| *response == responses[0]));
    }
}

#[tokio::test]
async fn flood_of_guesses_from_one_address_blocks_no_other() {
    let authenticator = world();
    let flood = Some("192.0.2.66:4000".parse().unwrap());
    let guesses = (0..500).map(|guess| {
        revoke(
            authenticator.clone(),
            flood,
            format!("made-up-{guess}:guess"),
        )
    });
    let client = Some("198.51.100.7:4000".parse().unwrap());
    let secret = || revoke(authenticator.clone(), client, "human:secret".into());
    let (guesses, (status, ..)) = futures::future::join(join_all(guesses), secret()).await;
    assert_eq!(status, 200);
    // Its own requests lose their places.
    assert!(guesses.iter().any(|(status, ..)| *status == 503));
}

#[tokio::test]
async fn sequential_guesses_block_nobody() {
    // Each attacker sends its next guess after the response to the last one: from one address each,
    // from one address together, and without an address.
    let peer = |network: &str, host: usize| format!("{network}{host}:4000").parse().ok();
    for network in ["192.0.2.", "192.0.2.66", ""] {
        let authenticator =
            world().passwords(passwords().remembered_for(std::time::Duration::ZERO));
        let guessers = (0..6).map(|guesser| {
            let authenticator = authenticator.clone();
            let peer = match network {
                "192.0.2." => peer(network, guesser),
                "" => None,
                one => format!("{one}:4000").parse().ok(),
            };
            async move {
                for guess in 0..20 {
                    let made_up = format!("made-up-{guesser}-{guess}:guess");
                    let (status, ..) = revoke(authenticator.clone(), peer, made_up).await;
                    assert_eq!(status, 401);
                }
            }
        });
        let client = async {
            let address = (!network.is_empty())
                .then(|| peer("198.51.100.", 7))
                .flatten();
            for _ in 0..20 {
                let secret = "human:secret".to_owned();
                let (status, ..) = revoke(authenticator.clone(), address, secret).await;
                assert_eq!(status, 200, "{network}");
            }
        };
        futures::future::join(join_all(guessers), client).await;
    }
}
