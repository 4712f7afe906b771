//! Guesses count, all get the same response, and block nobody else.

mod load;
mod readings;

use std::{net::SocketAddr, sync::Arc};

use futures::executor::block_on;
use hyper::Request;
use tower::{BoxError, Layer as _, ServiceExt as _};
use tower_revocation::{
    Error, ErrorKind, Secret,
    client::{
        AuthMethod, Basic, Credentials, PeerAddr, Refusal, SecretDigest,
        limit::{LimitFailures, LimitFailuresLayer},
        password::{PasswordHash, Passwords},
        registry::{Client, ClientAuthenticator, Clients, Registry},
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
