//! The life of tokens and grants at the authorization server.

use futures::future::join_all;
use hyper::{Request, header};

use super::{
    http::{
        C1, C2, Credentials, FullResponse, Http, POST, REDIRECT_URI, SPA, SPA2, VERIFIER,
        authorize, redirect_parameter,
    },
    process::{Server, folder},
};

macro_rules! server {
    ($server:ident, $http:ident) => {
        let (_folder, data) = folder();
        let $server = Server::start(&data);
        let $http = Http::to($server.url(""));
    };
}

#[tokio::test]
async fn every_client_gets_tokens_uses_them_revokes_them_and_is_refused() {
    server!(server, http);
    for credentials in [C1, C2, POST, SPA, SPA2] {
        let (access, refresh) = http.tokens(credentials).await;
        let me = http.me(&access).await;
        assert_eq!(
            (me.status.as_u16(), me.text("sub").as_str()),
            (200, "alice")
        );
        assert!(http.is_active(&access).await && http.is_active(&refresh).await);

        let answer = http.revoke(credentials, &refresh).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
        assert!(http.me(&access).await.is_refused_token());
        assert!(!http.is_active(&access).await && !http.is_active(&refresh).await);
        assert!(
            http.refresh(credentials, &refresh)
                .await
                .is_error(400, "invalid_grant")
        );
    }
    drop(server);
}

#[tokio::test]
async fn revoked_access_token_does_not_end_its_grant() {
    server!(server, http);
    let (access, refresh) = http.tokens(C1).await;
    assert_eq!(http.revoke(C1, &access).await.status, 200);
    assert!(http.me(&access).await.is_refused_token());
    let next = http.refresh(C1, &refresh).await.text("access_token");
    assert_eq!(http.me(&next).await.status, 200);
    drop(server);
}

#[tokio::test]
async fn token_of_another_client_is_refused_and_stays_live() {
    server!(server, http);
    let (access, refresh) = http.tokens(C2).await;
    for token in [&access, &refresh] {
        for credentials in [C1, SPA, POST] {
            assert!(
                http.revoke(credentials, token)
                    .await
                    .is_error(400, "invalid_grant")
            );
        }
        assert!(http.is_active(token).await);
    }
    drop(server);
}

#[tokio::test]
async fn unknown_and_revoked_tokens_get_the_same_response() {
    server!(server, http);
    let (access, _) = http.tokens(C1).await;
    let plain = |mut answer: FullResponse| {
        answer.headers.remove("date");
        format!("{answer:?}")
    };
    let first = plain(http.revoke(C1, &access).await);
    assert_eq!(plain(http.revoke(C1, &access).await), first);
    assert_eq!(plain(http.revoke(C1, "45ghiukldjahdnhzdauz").await), first);
    drop(server);
}

#[tokio::test]
async fn reused_refresh_token_ends_its_grant() {
    server!(server, http);
    let (first_access, first) = http.tokens(C1).await;
    let answer = http.refresh(C1, &first).await;
    let (access, refresh) = (answer.text("access_token"), answer.text("refresh_token"));
    assert_ne!(first, refresh);
    assert_eq!(http.me(&access).await.status, 200);

    assert!(
        http.refresh(C1, &first)
            .await
            .is_error(400, "invalid_grant")
    );
    for access in [&first_access, &access] {
        assert!(http.me(access).await.is_refused_token());
    }
    assert!(
        http.refresh(C1, &refresh)
            .await
            .is_error(400, "invalid_grant")
    );
    drop(server);
}

#[tokio::test]
async fn refresh_can_narrow_the_scope_but_not_widen_it() {
    server!(server, http);
    let (_, refresh) = http.tokens(C1).await;
    let ask = async |token: &str, scope| {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        http.post("/oauth2/token", C1, &parameters).await
    };
    assert!(
        ask(&refresh, "read admin")
            .await
            .is_error(400, "invalid_scope")
    );
    let less = ask(&refresh, "read").await;
    assert_eq!(less.text("scope"), "read");
    let me = http.me(&less.text("access_token")).await;
    assert_eq!(me.text("scope"), "read");
    // The scope of the grant is unchanged.
    let all = http.refresh(C1, &less.text("refresh_token")).await;
    assert_eq!(all.text("scope"), "read write");
    drop(server);
}

#[tokio::test]
async fn at_most_one_of_concurrent_refreshes_succeeds() {
    server!(server, http);
    let (_, refresh) = http.tokens(SPA).await;
    let answers = join_all((0..8).map(|_| http.refresh(SPA, &refresh))).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    drop(server);
}

#[tokio::test]
async fn reused_code_ends_its_grant() {
    server!(server, http);
    let code = http.code(SPA).await;
    let answer = http.redeem(SPA, &code).await;
    let access = answer.text("access_token");
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
    let answer = http.get(&authorize(C1, &[])).await;
    assert_eq!(answer.status, 303);
    assert!(
        answer
            .header("location")
            .starts_with(&format!("{REDIRECT_URI}?"))
    );
    assert_eq!(redirect_parameter(&answer, "state").as_deref(), Some("xyz"));
    assert_eq!(
        redirect_parameter(&answer, "iss").as_deref(),
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
        let answer = http.get(&authorize(C1, &[replaced])).await;
        assert_eq!(
            redirect_parameter(&answer, "error").as_deref(),
            Some(error),
            "{replaced:?}"
        );
        assert_eq!(redirect_parameter(&answer, "state").as_deref(), Some("xyz"));
        assert_eq!(redirect_parameter(&answer, "code"), None);
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
        let answer = http.get(&authorize(C1, &[("redirect_uri", uri)])).await;
        assert!(answer.is_error(400, "invalid_request"), "{uri}");
        assert_eq!(answer.header("location"), "");
    }
    let answer = http
        .get(&authorize(Credentials::Public("nobody"), &[]))
        .await;
    assert!(answer.is_error(400, "invalid_request"));
    drop(server);
}

#[tokio::test]
async fn client_credentials_are_for_confidential_clients() {
    server!(server, http);
    let parameters = [("grant_type", "client_credentials")];
    for credentials in [C1, POST] {
        let answer = http.post("/oauth2/token", credentials, &parameters).await;
        let access = answer.text("access_token");
        assert_eq!(answer.json().get("refresh_token"), None);
        assert_eq!(http.me(&access).await.text("client_id"), credentials.id());
        assert_eq!(http.revoke(credentials, &access).await.status, 200);
        assert!(http.me(&access).await.is_refused_token());
    }
    let answer = http.post("/oauth2/token", SPA, &parameters).await;
    assert!(answer.is_error(400, "unauthorized_client"));
    drop(server);
}

#[tokio::test]
async fn clients_are_authenticated_at_every_endpoint() {
    server!(server, http);
    let (access, _) = http.tokens(C1).await;
    let wrong = Credentials::Basic("s6BhdRkqt3", "WRONG");
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        for credentials in [
            wrong,
            Credentials::None,
            Credentials::Post("s6BhdRkqt3", "gX1fBat3bV"),
        ] {
            let answer = http.post(path, credentials, &[("token", &access)]).await;
            assert!(answer.is_error(401, "invalid_client"), "{path} {answer:?}");
            assert!(answer.header("www-authenticate").starts_with("Basic "));
        }
    }
    // Introspection covers the tokens of all clients, and a public client is not authenticated.
    let answer = http
        .post("/oauth2/introspect", SPA, &[("token", &access)])
        .await;
    assert!(answer.is_error(401, "invalid_client"));
    assert!(http.is_active(&access).await);
    drop(server);
}

#[tokio::test]
async fn protected_resource_challenges_as_bearer() {
    server!(server, http);
    let bare = http.get("/api/me").await;
    assert_eq!(
        (bare.status.as_u16(), bare.header("www-authenticate")),
        (401, "Bearer realm=\"api\"")
    );
    assert!(http.me("unknown").await.is_refused_token());
    // A refresh token gives no access to the API.
    let (_, refresh) = http.tokens(C1).await;
    assert!(http.me(&refresh).await.is_refused_token());
    drop(server);
}

#[tokio::test]
async fn metadata_describes_the_endpoints() {
    server!(server, http);
    let metadata = http
        .get("/.well-known/oauth-authorization-server")
        .await
        .json();
    assert_eq!(metadata["issuer"], server.url(""));
    for (member, path) in [
        ("authorization_endpoint", "/oauth2/authorize"),
        ("token_endpoint", "/oauth2/token"),
        ("introspection_endpoint", "/oauth2/introspect"),
        ("revocation_endpoint", "/oauth2/revoke"),
    ] {
        assert_eq!(metadata[member], server.url(path));
    }
    // The listed methods are those that work.
    let listed = metadata["revocation_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    // Without TLS there are no certificates. Other tests cover the methods with keys.
    assert_eq!(listed.len(), 6);
    for (method, credentials) in [
        ("client_secret_basic", C1),
        ("client_secret_post", POST),
        ("none", SPA),
    ] {
        assert!(listed.iter().any(|listed| listed == method));
        assert_eq!(http.revoke(credentials, "unknown").await.status, 200);
    }
}

#[tokio::test]
async fn browser_app_can_read_the_error() {
    server!(server, http);
    let origin = "http://127.0.0.1:5173";
    let request = Request::post(server.url("/oauth2/revoke"))
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/json")
        .body("{}".into())
        .unwrap();
    let answer = http.try_send(request).await.unwrap();
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.header("access-control-allow-origin")
        ),
        (415, origin)
    );

    let request = Request::options(server.url("/oauth2/revoke"))
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization")
        .body("".into())
        .unwrap();
    let answer = http.try_send(request).await.unwrap();
    assert_eq!(answer.header("access-control-allow-origin"), origin);
    assert!(
        answer
            .header("access-control-allow-headers")
            .contains("authorization")
    );

    // Apps also call the token endpoint and the API. A browser is redirected to the authorization
    // endpoint, and no app may read its response (RFC 9700 §2.6).
    for (path, allowed) in [
        ("/api/me", origin),
        ("/.well-known/oauth-authorization-server", "*"),
        ("/oauth2/token", origin),
        ("/oauth2/authorize", ""),
        ("/oauth2/introspect", ""),
    ] {
        let request = Request::get(server.url(path)).header(header::ORIGIN, origin);
        let answer = http
            .try_send(request.body("".into()).unwrap())
            .await
            .unwrap();
        assert_eq!(
            answer.header("access-control-allow-origin"),
            allowed,
            "{path}"
        );
    }
}

#[tokio::test]
async fn logs_contain_clients_and_outcomes_but_no_token_or_secret() {
    server!(server, http);
    let (access, refresh) = http.tokens(C1).await;
    http.revoke(C2, &refresh).await;
    http.revoke(Credentials::Basic("s6BhdRkqt3", "WR0NG-secret"), &refresh)
        .await;
    http.revoke(C1, &access).await;
    let next = http.refresh(C1, &refresh).await.text("refresh_token");
    http.refresh(C1, &refresh).await;
    http.revoke(C1, &next).await;
    let query = format!("/oauth2/revoke?token={access}");
    http.post(&query, C1, &[]).await;

    let log = server.kill();
    assert!(
        log.contains("s6BhdRkqt3") && log.contains("issued_to_another"),
        "{log}"
    );
    for secret in [
        &*access,
        &refresh,
        &next,
        "gX1fBat3bV",
        "s3cr3t-two",
        "WR0NG-secret",
    ] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn bad_requests_leave_the_server_running() {
    server!(server, http);
    let bodies: [&[u8]; 6] = [
        b"",
        b"\xff\xfe=%zz",
        b"token=%00",
        b"token=a&token=a",
        b"&&&===",
        b"{",
    ];
    for path in [
        "/oauth2/token",
        "/oauth2/introspect",
        "/oauth2/revoke",
        "/api/me",
        "/",
    ] {
        for body in bodies {
            let request = Request::post(server.url(path))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body.into())
                .unwrap();
            let answer = http.try_send(request).await.unwrap();
            assert!(
                answer.status.is_client_error(),
                "{path} {body:?} {answer:?}"
            );
        }
        let many = vec![b'a'; 1 << 20];
        let request = Request::post(server.url(path)).body(many.into()).unwrap();
        // On a new connection: the server may close it without reading everything.
        Http::to(server.url("")).try_send(request).await;
    }
    let queries = [
        "?",
        "?client_id",
        "?client_id=%ff",
        "?client_id=c2&client_id=c2",
    ];
    for query in queries {
        let answer = http.get(&format!("/oauth2/authorize{query}")).await;
        assert_eq!(answer.status, 400);
    }
    let (access, _) = http.tokens(C1).await;
    assert_eq!(http.me(&access).await.status, 200);
}
