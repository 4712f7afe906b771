//! Caching: when keys are fetched, and which set is used.

use std::{error::Error as _, time::Duration};

use futures::future::join_all;
use hyper::header::{ACCEPT_ENCODING, CACHE_CONTROL, HeaderValue};
use tower_revocation::jose::{RemoteErrorKind, RemoteKeys};

use crate::port::free_port;

use super::{
    has, impatient,
    server::{Does, HOST, Names, Server, jwks, ok},
};

#[tokio::test]
async fn keys_are_fetched_once_and_cached() {
    let server = Server::start(Does::Respond(ok(jwks(["k1", "k2"])))).await;
    let keys = server.keys();
    for _ in 0..3 {
        let set = keys.keys(&server.uri(), Some("k1")).await.unwrap();
        assert!(has(&set, "k1") && has(&set, "k2") && !has(&set, "k3"));
    }
    assert!(keys.clone().keys(&server.uri(), None).await.is_ok());
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.requests()[0][ACCEPT_ENCODING], "identity");
}

#[tokio::test]
async fn a_thousand_callers_cause_one_connection() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let (keys, uri) = (server.keys(), server.uri());
    for keys_of_caller in join_all((0..1000).map(|_| keys.keys(&uri, Some("k1")))).await {
        assert!(has(&keys_of_caller.unwrap(), "k1"));
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn rotated_key_is_found_and_a_thousand_unknown_ones_cause_one_fetch() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let (keys, uri) = (server.keys(), server.uri());
    assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));
    server.does(Does::Respond(ok(jwks(["k2"]))));
    assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));
    let set = keys.keys(&uri, Some("k2")).await.unwrap();
    assert!(has(&set, "k2") && !has(&set, "k1"));
    for kid in 0..1000 {
        let set = keys
            .keys(&uri, Some(&format!("random-{kid}")))
            .await
            .unwrap();
        assert!(has(&set, "k2"));
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn cache_control_of_the_source_is_followed() {
    let mut response = ok(jwks(["k1"]));
    response.headers_mut().insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-store, max-age=600"),
    );
    let server = Server::start(Does::Respond(response.clone())).await;
    let keys = server
        .builder()
        .lifetime_bounds(Duration::ZERO, Duration::from_secs(3600))
        .build();
    for _ in 0..3 {
        keys.keys(&server.uri(), None).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);

    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("max-age=600"));
    server.does(Does::Respond(response));
    for _ in 0..3 {
        keys.keys(&server.uri(), None).await.unwrap();
    }
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn last_good_set_is_used_until_the_source_is_back() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let (keys, uri) = (impatient(server.builder()).build(), server.uri());
    assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));

    let html = "<!doctype html><title>Be right back</title>";
    for down in [
        Does::HangUp,
        Does::Respond(ok(html)),
        Does::Respond(ok("{}")),
        Does::Respond(ok("")),
        Does::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
    ] {
        let before = server.connections();
        server.does(down);
        assert!(has(&keys.keys(&uri, Some("k1")).await.unwrap(), "k1"));
        assert_eq!(server.connections(), before + 1);
    }

    server.does(Does::Respond(ok(jwks(["k2"]))));
    let set = keys.keys(&uri, Some("k2")).await.unwrap();
    assert!(has(&set, "k2") && !has(&set, "k1"));
}

#[tokio::test]
async fn set_beyond_the_stale_limit_is_not_used() {
    let server = Server::start(Does::Respond(ok(jwks(["k1"])))).await;
    let keys = impatient(server.builder()).stale(Duration::ZERO).build();
    keys.keys(&server.uri(), None).await.unwrap();
    server.does(Does::HangUp);
    keys.keys(&server.uri(), None).await.unwrap_err();
}

#[tokio::test]
async fn unreachable_source_without_an_earlier_set_is_an_error() {
    let keys = RemoteKeys::builder()
        .resolver(Names::local())
        .allow_private_addresses(true)
        .build();
    let error = keys
        .keys(&format!("https://{HOST}:{}/", free_port()), None)
        .await
        .unwrap_err();
    assert!(error.source().is_some());
    // It may be available later.
    assert!(!error.is_unusable());
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
}
