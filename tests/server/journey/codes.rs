//! Authorization codes.

use crate::{
    http::{
        C1, C2, Credentials, Http, REDIRECT_URI, SPA, SPA2, VERIFIER, authorize, redirect_parameter,
    },
    process::{Server, folder},
};

#[tokio::test]
async fn reused_code_ends_its_grant() {
    server!(server, http);
    let code = http.code(SPA).await;
    let response = http.redeem(SPA, &code).await;
    let access = response.text("access_token");
    assert_eq!(http.me(&access).await.status, 200);
    assert!(http.redeem(SPA, &code).await.is_error(400, "invalid_grant"));
    assert!(http.me(&access).await.is_refused_token());
    drop(server);
}

#[tokio::test]
async fn code_is_bound_to_its_client_verifier_and_redirect_uri() {
    server!(server, http);
    let code = http.code(SPA).await;
    assert!(
        http.redeem(SPA2, &code)
            .await
            .is_error(400, "invalid_grant")
    );
    let attempt = async |redirect_uri, verifier| {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        http.post("/oauth2/token", SPA, &parameters).await
    };
    let elsewhere = attempt("http://127.0.0.1:4712/callback", VERIFIER).await;
    assert!(elsewhere.is_error(400, "invalid_grant"));
    assert!(
        attempt(
            REDIRECT_URI,
            "a-verifier-of-somebody-else-that-is-long-enough"
        )
        .await
        .is_error(400, "invalid_grant")
    );
    let short = attempt(REDIRECT_URI, "too-short").await;
    assert!(short.is_error(400, "invalid_request"));
    assert!(
        attempt(REDIRECT_URI, "")
            .await
            .is_error(400, "invalid_request")
    );
    // The code is still unused.
    assert_eq!(attempt(REDIRECT_URI, VERIFIER).await.status, 200);
    drop(server);
}

#[tokio::test]
async fn code_cannot_be_revoked_or_introspected() {
    server!(server, http);
    let code = http.code(C1).await;
    assert!(!http.is_active(&code).await);
    for credentials in [C1, C2] {
        assert_eq!(http.revoke(credentials, &code).await.status, 200);
    }
    assert_eq!(http.redeem(C1, &code).await.status, 200);
    drop(server);
}

#[tokio::test]
async fn authorization_response_has_state_and_issuer_at_any_loopback_port() {
    server!(server, http);
    let response = http.get(&authorize(C1, &[])).await;
    assert_eq!(response.status, 303);
    assert!(
        response
            .header("location")
            .starts_with(&format!("{REDIRECT_URI}?"))
    );
    assert_eq!(
        redirect_parameter(&response, "state").as_deref(),
        Some("xyz")
    );
    assert_eq!(
        redirect_parameter(&response, "iss").as_deref(),
        Some(&*server.url(""))
    );

    let refusals = [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("scope", "admin"), "invalid_scope"),
    ];
    for (replaced, error) in refusals {
        let response = http.get(&authorize(C1, &[replaced])).await;
        assert_eq!(
            redirect_parameter(&response, "error").as_deref(),
            Some(error),
            "{replaced:?}"
        );
        assert_eq!(
            redirect_parameter(&response, "state").as_deref(),
            Some("xyz")
        );
        assert_eq!(redirect_parameter(&response, "code"), None);
    }
}

#[tokio::test]
async fn unregistered_redirect_uri_gets_no_redirect() {
    server!(server, http);
    let elsewhere = [
        "https://evil.example/callback",
        "http://127.0.0.1:4711/callback/",
        "http://127.0.0.1:4711@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost:4711/callback",
        "http://127.0.0.1:+80/callback",
        "http://127.0.0.1:/callback",
    ];
    for uri in elsewhere {
        let response = http.get(&authorize(C1, &[("redirect_uri", uri)])).await;
        assert!(response.is_error(400, "invalid_request"), "{uri}");
        assert_eq!(response.header("location"), "");
    }
    let response = http
        .get(&authorize(Credentials::Public("nobody"), &[]))
        .await;
    assert!(response.is_error(400, "invalid_request"));
    drop(server);
}
