//! Keys at a URI that the metadata of the issuer names.

use std::{
    error::Error as _,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::jwt::{Audience, JwtErrorKind, JwtTokens},
    jose::{Keys, RemoteError, RemoteErrorKind, RemoteKeys},
};

use crate::{
    events::Lines,
    jwt::fixture::{AUDIENCE, KEY, claims, header, with},
};

/// The pages by path, and the paths that were requested.
#[derive(Clone, Default)]
struct Site {
    pages: Arc<Mutex<Vec<(String, Value)>>>,
    requested: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Starts a server on this machine, without TLS.
    async fn start() -> (Self, String) {
        let site = Self::default();
        let router = Router::new()
            .route("/{*path}", get(page))
            .with_state(site.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (site, origin)
    }

    fn has(&self, path: &str, page: Value) {
        self.pages.lock().unwrap().push((path.to_owned(), page));
    }

    fn requested(&self) -> Vec<String> {
        std::mem::take(&mut *self.requested.lock().unwrap())
    }
}

async fn page(State(site): State<Site>, Path(path): Path<String>) -> Result<String, StatusCode> {
    site.requested.lock().unwrap().push(path.clone());
    let pages = site.pages.lock().unwrap();
    let page = pages.iter().find(|(at, _)| *at == path);
    page.map(|(_, page)| page.to_string())
        .ok_or(StatusCode::NOT_FOUND)
}

/// Whether a token of this issuer is genuine by the keys that it publishes.
async fn is_known(issuer: &str) -> Option<bool> {
    let tokens = JwtTokens::discover(issuer, Audience::any_of([AUDIENCE])).unwrap();
    let claims = with(claims(), &json!({ "iss": issuer }));
    let token = Secret::new(KEY.sign(&header(), &claims));
    let answer = tokens.oneshot(token).await.ok()?;
    Some(answer.token().is_some())
}

#[tokio::test]
async fn metadata_names_the_keys() {
    for (path, well_known) in [
        ("", ".well-known/openid-configuration"),
        ("", ".well-known/oauth-authorization-server"),
        ("/realms/a", "realms/a/.well-known/openid-configuration"),
        (
            "/realms/a",
            ".well-known/oauth-authorization-server/realms/a",
        ),
        ("/", ".well-known/openid-configuration"),
    ] {
        let (site, origin) = Site::start().await;
        let issuer = format!("{origin}{path}");
        let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{origin}/keys") });
        site.has(well_known, metadata);
        site.has("keys", KEY.jwks("k1"));
        assert_eq!(is_known(&issuer).await, Some(true), "{well_known}");
        assert_eq!(site.requested().last().map(String::as_str), Some("keys"));
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_is_ignored() {
    let (site, origin) = Site::start().await;
    let page = ".well-known/openid-configuration";
    site.has("keys", KEY.jwks("k1"));
    let jwks_uri = format!("{origin}/keys");
    for issuer in [
        json!(format!("{origin}/")),
        json!(origin.to_uppercase()),
        json!([origin]),
        json!(null),
    ] {
        site.pages
            .lock()
            .unwrap()
            .retain(|(path, _)| path == "keys");
        site.has(page, json!({ "issuer": issuer, "jwks_uri": jwks_uri }));
        assert_eq!(is_known(&origin).await, None, "{issuer}");
        // The other well-known path may have it.
        let right = json!({ "issuer": origin, "jwks_uri": jwks_uri });
        site.has(".well-known/oauth-authorization-server", right);
        assert_eq!(is_known(&origin).await, Some(true), "{issuer}");
    }
    assert!(site.requested().iter().any(|path| path == "keys"));
}

#[tokio::test]
async fn issuer_without_metadata_is_an_error() {
    let (site, origin) = Site::start().await;
    assert_eq!(is_known(&origin).await, None);
    assert_eq!(site.requested().len(), 2);
}

#[test]
fn invalid_uri_is_refused_at_configuration() {
    let audience = || Audience::any_of([AUDIENCE]);
    for uri in [
        "",
        "as.example.com",
        "ftp://as.example.com/",
        "https://",
        "https://user@as.example.com",
        "https://as.example.com#keys",
        "https://0x7f.1/keys",
        "http://as.example.com/keys",
        "http://10.0.0.1/keys",
    ] {
        assert!(Keys::from_uri(uri).is_err(), "{uri}");
        assert!(Keys::from_client_uri(uri).is_err(), "{uri}");
        assert!(JwtTokens::discover(uri, audience()).is_err(), "{uri}");
    }
    for uri in [
        "https://as.example.com/keys",
        "https://10.0.0.1/keys",
        "http://localhost:8080/keys",
        "http://127.0.0.1/keys",
        "http://[::1]/keys",
    ] {
        assert!(Keys::from_uri(uri).is_ok(), "{uri}");
        assert!(Keys::from_client_uri(uri).is_ok(), "{uri}");
        assert!(JwtTokens::discover(uri, audience()).is_ok(), "{uri}");
    }
    for uri in ["http://keycloak:8080/keys", "http://10.0.0.1/keys"] {
        assert!(Keys::from_plain_http_uri(uri).is_ok(), "{uri}");
        assert!(Keys::from_plain_http_issuer(uri).is_ok(), "{uri}");
    }
    assert!(Keys::from_plain_http_uri("file:///keys").is_err());
    assert!(Keys::from_issuer("https://as.example.com?tenant=1").is_err());
}

#[test]
fn configuration_error_names_the_mistake() {
    for (keys, kind, told) in [
        (
            Keys::from_uri("http://as.example.com/keys"),
            RemoteErrorKind::Configuration,
            "invalid configuration: the URI is not https",
        ),
        (
            Keys::from_plain_http_uri("ftp://as.example.com/keys"),
            RemoteErrorKind::Configuration,
            "invalid configuration: the URI is not https",
        ),
        (
            Keys::from_issuer("https://as.example.com?tenant=1"),
            RemoteErrorKind::Configuration,
            "invalid configuration: the issuer has a query",
        ),
        (
            Keys::from_issuer("https://user@as.example.com"),
            RemoteErrorKind::Configuration,
            "invalid configuration: the URI has userinfo",
        ),
        (
            Keys::from_client_uri("http://client.example.com/keys"),
            RemoteErrorKind::Registration,
            "invalid jwks_uri: the URI is not https",
        ),
    ] {
        let error = keys.unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (kind, told));
    }
}

#[tokio::test]
async fn unusable_metadata_is_the_cause_of_the_error() {
    for (page, told) in [
        (None, "it was not fetched"),
        (Some(json!({ "issuer": "https://else" })), "another issuer"),
    ] {
        let (site, origin) = Site::start().await;
        if let Some(page) = page {
            site.has(".well-known/oauth-authorization-server", page);
        }
        let tokens = JwtTokens::discover(&origin, Audience::any_of([AUDIENCE])).unwrap();
        let claims = with(claims(), &json!({ "iss": origin }));
        let token = Secret::new(KEY.sign(&header(), &claims));
        let error = tokens.oneshot(token).await.unwrap_err();
        assert_eq!(error.kind(), JwtErrorKind::NoKeys);
        let chain = std::iter::successors(error.source(), |&error| error.source());
        let causes: Vec<_> = chain.filter_map(|error| error.downcast_ref()).collect();
        let cause: &RemoteError = causes[0];
        assert_eq!(cause.kind(), RemoteErrorKind::Metadata);
        assert!(cause.to_string().contains(told), "{cause}");
    }
}

#[tokio::test]
async fn event_names_the_issuer_as_the_source_of_its_keys() {
    let (lines, _guard) = Lines::listen();
    let (site, origin) = Site::start().await;
    let metadata = json!({ "issuer": origin, "jwks_uri": format!("{origin}/keys") });
    site.has(".well-known/openid-configuration", metadata);
    let unsound = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
    let keys = json!({ "keys": [KEY.jwk(&json!({ "kid": "k1" })), unsound] });
    site.has("keys", keys);
    assert_eq!(is_known(&origin).await, Some(true));
    let told = lines.take();
    assert!(told.contains("published keys cannot be used"), "{told}");
    assert!(told.contains(&format!("source=\"{origin}\"")), "{told}");
    assert!(!told.contains("jwks_uri"), "{told}");
}

/// By `http` too. A URI that a client registers is fetched from a private address only if that is
/// allowed.
#[tokio::test]
async fn uri_of_the_operator_is_fetched_from_any_address() {
    let (site, origin) = Site::start().await;
    site.has("keys", KEY.jwks("k1"));
    let uri = format!("{origin}/keys");
    let issuer = "https://as.example.com";
    let token = KEY.sign(&header(), &claims());
    for (keys, remote, known) in [
        (Keys::from_uri(&uri), RemoteKeys::new(), true),
        (Keys::from_client_uri(&uri), RemoteKeys::new(), false),
        (
            Keys::from_client_uri(&uri),
            RemoteKeys::builder().allow_private_addresses(true).build(),
            true,
        ),
    ] {
        let tokens = JwtTokens::new(issuer, keys.unwrap(), Audience::any_of([AUDIENCE]));
        let answer = tokens
            .remote_keys(remote)
            .oneshot(Secret::new(&*token))
            .await;
        assert_eq!(answer.is_ok(), known);
    }
    assert_eq!(site.requested().len(), 2);
}
