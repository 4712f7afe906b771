//! Password verification under load.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use futures::future::join_all;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest,
    client::{
        PeerAddr,
        registry::{Client, ClientAuthenticator, Registry},
    },
};

use super::{HASH, basic, chosen, generated, passwords, without_workers};

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
