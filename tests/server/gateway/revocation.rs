//! Revocation at the gateway.

use std::fs;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::{C1, C2, World};
use crate::{
    http::{Credentials, Http},
    port::free_port,
    process::{Server, error_line},
};

#[tokio::test]
async fn refresh_token_is_unsupported_without_forwarding() {
    let world = World::new().await;
    let (_gateway, http) = world.gateway();
    let (_, refresh) = world.http.tokens(C1).await;
    let response = http.revoke(C1, &refresh).await;
    assert!(
        response.is_error(400, "unsupported_token_type"),
        "{response:?}"
    );
    assert_eq!(world.http.refresh(C1, &refresh).await.status, 200);
}

#[tokio::test]
async fn refresh_token_is_revoked_at_its_issuer() {
    let world = World::new().await;
    // With https, because the gateway trusts the certificate, and with http on this machine.
    for base in [&world.issuer, &world.server.url("")] {
        let mut command = world.command_to(&world.server.url(""));
        command.env("REVOCATION", format!("{base}/oauth2/revoke"));
        let gateway = Server::run(command);
        let http = Http::to(gateway.url(""));

        let (access, refresh) = world.http.tokens(C1).await;
        let stranger = http.revoke(C2, &refresh).await;
        assert!(stranger.is_error(400, "invalid_grant"), "{stranger:?}");
        let guess = http
            .revoke(Credentials::Basic("s6BhdRkqt3", "guess"), &refresh)
            .await;
        assert!(guess.is_error(401, "invalid_client"), "{guess:?}");
        assert_eq!(http.me(&access).await.status, 200);

        assert_eq!(http.revoke(C1, &refresh).await.status, 200);
        let refreshed = world.http.refresh(C1, &refresh).await;
        assert!(refreshed.is_error(400, "invalid_grant"), "{refreshed:?}");
        // The API uses its own server. The gateway does not know which tokens ended.
        assert!(http.me(&access).await.is_refused_token());

        // A token that the gateway knows is revoked at both.
        let (access, _) = world.http.tokens(C1).await;
        assert_eq!(http.revoke(C1, &access).await.status, 200);
        assert!(world.http.me(&access).await.is_refused_token());
        assert!(http.me(&access).await.is_refused_token());
        // An unknown token is a success.
        assert_eq!(http.revoke(C1, "unknown").await.status, 200);
    }
}

/// Keycloak signs refresh tokens with its own secret.
#[tokio::test]
async fn jwt_refresh_token_is_treated_as_a_refresh_token() {
    let world = World::new().await;
    let claims = json!({
        "iss": world.issuer, "aud": world.issuer, "typ": "Refresh", "azp": C1.id(),
        "sub": "alice", "sid": "s1", "jti": "1",
        "iat": jsonwebtoken::get_current_timestamp(),
        "exp": jsonwebtoken::get_current_timestamp() + 1800,
    });
    let key = EncodingKey::from_secret(&[7; 64]);
    let refresh = encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();

    for (forwards, expected) in [(false, 400), (true, 200)] {
        let mut command = world.command_to(&world.server.url(""));
        command.env("DIALECT", "keycloak");
        if forwards {
            command.env("REVOCATION", format!("{}/oauth2/revoke", world.issuer));
        }
        let gateway = Server::run(command);
        let http = Http::to(gateway.url(""));
        let response = http.revoke(C1, &refresh).await;
        assert_eq!(response.status, expected, "{response:?}");
        if !forwards {
            assert!(
                response.is_error(400, "unsupported_token_type"),
                "{response:?}"
            );
        }
    }
}

#[tokio::test]
async fn unreachable_issuer_is_503_and_records_nothing() {
    let world = World::new().await;
    let endpoint = format!("http://127.0.0.1:{}/oauth2/revoke", free_port());
    let mut command = world.command_to(&world.server.url(""));
    command.env("REVOCATION", endpoint);
    let gateway = Server::run(command);
    let http = Http::to(gateway.url(""));
    let token = world.http.own_token(C1).await;
    let response = http.revoke(C1, &token).await;
    assert!(
        response.is_error(503, "temporarily_unavailable"),
        "{response:?}"
    );
    assert!(!response.header("retry-after").is_empty());
    assert_eq!(http.me(&token).await.status, 200);
}

#[tokio::test]
async fn guesses_are_limited_and_other_clients_are_served() {
    let world = World::new().await;
    let (_gateway, http) = world.gateway();
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let guess = Credentials::Basic("s6BhdRkqt3", "guess");
        statuses.push(http.revoke(guess, "unknown").await.status.as_u16());
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10..], [429; 2]);
    // No header field that a client sends changes its identity.
    let token = world.http.own_token(C2).await;
    assert_eq!(http.revoke(C2, &token).await.status, 200);
}

#[tokio::test]
async fn health_checks_need_no_token() {
    let world = World::new().await;
    let (_gateway, http) = world.gateway();
    for path in ["/gateway/health", "/gateway/health/revocation"] {
        assert_eq!(http.get(path).await.status, 200);
    }
    // Other paths belong to the API.
    assert_eq!(http.get("/gateway/healthy").await.status, 401);
}

#[tokio::test]
async fn gateway_does_not_start_without_its_lost_file() {
    let world = World::new().await;
    let data = world.path().join("gateway.redb");
    let mut expected = world.command_to("http://127.0.0.1:1");
    expected.env("DATA_EXPECTED", "1");
    let line = error_line(expected);
    assert!(line.contains("there is no file"), "{line}");
    assert!(line.ends_with("set DATA_EXPECTED=0"), "{line}");

    let (gateway, _) = world.gateway();
    gateway.kill();
    fs::remove_file(&data).unwrap();
    let line = error_line(world.command_to("http://127.0.0.1:1"));
    let named = format!("DATA={}: ", data.display());
    assert!(line.starts_with(&named), "{line}");
    assert!(line.contains("there is no file"), "{line}");
    let marker = data.with_extension("made");
    let step = format!("to begin again without it, remove {}", marker.display());
    assert!(line.ends_with(&step), "{line}");
    assert!(!data.exists());
}

#[tokio::test]
async fn signal_ends_the_gateway_with_success_and_loses_no_line_of_its_log() {
    for signal in ["TERM", "INT"] {
        let world = World::new().await;
        let (mut gateway, http) = world.gateway();
        assert!(
            http.revoke(C1, "unknown")
                .await
                .is_error(400, "unsupported_token_type")
        );
        gateway.signal(signal);
        let (status, log) = gateway.wait();
        assert!(status.success(), "{signal}: {status}");
        assert_eq!(log.matches("token revocation outcome").count(), 1, "{log}");
    }
}
