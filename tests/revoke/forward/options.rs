//! Options of a layer in front: what they exclude is not forwarded.

use hyper::http::Extensions;
use tower_revocation::{BackendExtensions, revoke::RevocationOptions};

use super::*;

fn with(options: &RevocationOptions, token: &str) -> Request<Full<Bytes>> {
    let mut extensions = Extensions::new();
    extensions.insert(options.clone());
    let mut request = form(format!("client_id=c1&token={token}"));
    request
        .extensions_mut()
        .insert(BackendExtensions(extensions));
    request
}

#[tokio::test]
async fn token_that_the_options_exclude_is_not_forwarded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let north = RevocationOptions::new().tenant("north");
    let access_only = RevocationOptions::new().only(TokenKind::AccessToken);
    let of_ann = RevocationOptions::new().subject("ann");
    let known = "refresh.c1.g1";
    for (options, token, error) in [
        (&north, known, "unsupported_token_type"),
        (&access_only, known, "unsupported_token_type"),
        (&of_ann, known, "invalid_grant"),
        // Nobody knows whether it is one of that tenant or subject.
        (&north, "unknown", "unsupported_token_type"),
        (&of_ann, "unknown", "unsupported_token_type"),
    ] {
        for response in [
            send(&backend, with(options, token)).await,
            send_verified(&backend, with(options, token)).await,
        ] {
            assert_eq!(response.error, error, "{options:?} {token}");
        }
    }
    assert_eq!(server.asked(), 0);
    assert_eq!(recorded(&log).await, []);
}

/// The kind is the other server's to check: it knows the opaque tokens.
#[tokio::test]
async fn unknown_token_is_forwarded_if_only_its_kind_matters() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let refresh_only = RevocationOptions::new().only(TokenKind::RefreshToken);
    let response = send(&backend, with(&refresh_only, "unknown")).await;
    assert_eq!(response.status, 200);
    assert_eq!(server.asked(), 1);
}
