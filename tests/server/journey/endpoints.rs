//! Authentication, challenges, metadata, CORS, logs and malformed requests at all endpoints.

use hyper::{Request, header};

use crate::{
    http::{C1, C2, Credentials, Http, POST, SPA},
    process::{Server, folder},
};

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
            let response = http.post(path, credentials, &[("token", &access)]).await;
            assert!(
                response.is_error(401, "invalid_client"),
                "{path} {response:?}"
            );
            assert!(response.header("www-authenticate").starts_with("Basic "));
        }
    }
    // Introspection covers the tokens of all clients, and a public client is not authenticated.
    let response = http
        .post("/oauth2/introspect", SPA, &[("token", &access)])
        .await;
    assert!(response.is_error(401, "invalid_client"));
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
    let response = http.try_send(request).await.unwrap();
    assert_eq!(
        (
            response.status.as_u16(),
            response.header("access-control-allow-origin")
        ),
        (415, origin)
    );

    let request = Request::options(server.url("/oauth2/revoke"))
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization")
        .body("".into())
        .unwrap();
    let response = http.try_send(request).await.unwrap();
    assert_eq!(response.header("access-control-allow-origin"), origin);
    assert!(
        response
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
        let response = http
            .try_send(request.body("".into()).unwrap())
            .await
            .unwrap();
        assert_eq!(
            response.header("access-control-allow-origin"),
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

    let log = server.end();
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
            let response = http.try_send(request).await.unwrap();
            assert!(
                response.status.is_client_error(),
                "{path} {body:?} {response:?}"
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
        let response = http.get(&format!("/oauth2/authorize{query}")).await;
        assert_eq!(response.status, 400);
    }
    let (access, _) = http.tokens(C1).await;
    assert_eq!(http.me(&access).await.status, 200);
}
