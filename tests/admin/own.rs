//! A user's own sessions.

use hyper::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use tower_revocation::{
    admin::OwnSessions, enforce::EnforcementLayer, revoke::Handles, sightings::Sightings,
};

use super::*;

struct Users {
    world: World,
    sightings: Sightings,
}

impl Users {
    async fn new() -> Self {
        Self {
            world: World::new().await,
            sightings: Sightings::new(),
        }
    }

    /// A token of a subject in a session.
    fn token(&self, subject: &str, session: &str) -> String {
        let token = self.world.issuer.token().subject(subject).client("shop");
        token.session(session).sign()
    }

    /// The same, and it was used.
    async fn used(&self, subject: &str, session: &str) -> String {
        let token = self.token(subject, session);
        let known = self.world.introspect(&token).await;
        let (head, ()) = Request::new(()).into_parts();
        self.sightings.note(&known, &head.headers, &head.extensions);
        token
    }

    fn service(&self) -> OwnSessions<MemoryLog, JwtTokens> {
        self.service_over(self.world.log.clone(), self.world.index.clone())
    }

    fn service_over(&self, log: MemoryLog, index: Index) -> OwnSessions<MemoryLog, JwtTokens> {
        let tokens = self.world.tokens();
        OwnSessions::new(
            EnforcementLayer::new(tokens.clone(), index.clone()),
            index,
            tokens,
            Administration::new(log),
            self.sightings.clone(),
            Handles::new([7; 32]),
        )
    }

    async fn ask(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        ask(self.service(), method, path, token, body).await
    }

    async fn list(&self, token: &str) -> Vec<Value> {
        let answer = self.ask(Method::GET, "/v1/me/sessions", token, &Value::Null);
        let answer = answer.await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        assert!(answer.json["seen_here_since"].is_u64());
        answer.json["sessions"].as_array().unwrap().clone()
    }

    async fn end(&self, token: &str, id: &str) -> Answer {
        let path = format!("/v1/me/sessions/{id}");
        self.ask(Method::DELETE, &path, token, &Value::Null).await
    }

    async fn type_in(&self, token: &str, typed: &str) -> Answer {
        let body = json!({ "token": typed });
        let path = "/v1/me/tokens:revoke";
        self.ask(Method::POST, path, token, &body).await
    }
}

async fn ask(
    service: OwnSessions<MemoryLog, JwtTokens>,
    method: Method,
    path: &str,
    token: &str,
    body: String,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json");
    answer(service, request.body(Full::from(body)).unwrap()).await
}

async fn answer(
    service: OwnSessions<MemoryLog, JwtTokens>,
    request: Request<Full<Bytes>>,
) -> Answer {
    let response = service.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        json: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

#[tokio::test]
async fn list_has_the_own_sessions_and_marks_the_current_one() {
    let users = Users::new().await;
    let phone = users.used("alice", "phone").await;
    users.used("bob", "laptop").await;
    let laptop = users.token("alice", "laptop");
    let again = users.used("alice", "laptop").await;
    let sessions = users.list(&laptop).await;
    let current: Vec<_> = sessions.iter().map(|it| it["current"].clone()).collect();
    assert_eq!(current, [true, false]);
    for session in &sessions {
        assert_eq!(session["clients"], json!(["shop"]));
        assert!(session["started"].is_u64() && session["expires"].is_u64());
    }
    let text = json!(sessions).to_string();
    for secret in [&*phone, &laptop, &again, "phone", "laptop"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // The other way round.
    let sessions = users.list(&phone).await;
    assert_eq!((sessions.len(), &sessions[0]["current"]), (2, &json!(true)));
}

#[tokio::test]
async fn ended_session_is_refused_and_not_listed() {
    let users = Users::new().await;
    let (phone, laptop) = (
        users.used("alice", "phone").await,
        users.token("alice", "laptop"),
    );
    let id = users.list(&laptop).await[1]["id"].clone();
    let id = id.as_str().unwrap();
    let answer = users.end(&laptop, id).await;
    assert_eq!(
        (answer.status, &answer.json),
        (StatusCode::NO_CONTENT, &Value::Null)
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!users.world.is_live(&phone).await && users.world.is_live(&laptop).await);
    assert_eq!(users.list(&laptop).await.len(), 1);
    // Once more does no harm.
    assert_eq!(users.end(&laptop, id).await.status, StatusCode::NO_CONTENT);
    assert_eq!(users.world.records().await, 1);
    let path = "/v1/me/sessions";
    let refused = users.ask(Method::GET, path, &phone, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn foreign_session_is_404_as_an_unknown_one_and_lives() {
    let users = Users::new().await;
    let (alice, bob) = (
        users.token("alice", "laptop"),
        users.token("bob", "laptop-of-bob"),
    );
    let of_bob = users.list(&bob).await[0]["id"].clone();
    for id in ["unknown", of_bob.as_str().unwrap(), "", "a/b"] {
        let answer = users.end(&alice, id).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(answer.json["detail"], "there is no such resource");
    }
    assert!(users.world.is_live(&bob).await);
    assert_eq!(users.world.records().await, 0);
}

#[tokio::test]
async fn current_session_can_be_ended() {
    let users = Users::new().await;
    let token = users.token("alice", "laptop");
    let id = users.list(&token).await[0]["id"].clone();
    let answer = users.end(&token, id.as_str().unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(!users.world.is_live(&token).await);
}

#[tokio::test]
async fn current_session_of_a_client_with_a_long_name_lives() {
    let users = Users::new().await;
    let again = users.used("alice", "laptop").await;
    let long = users
        .world
        .issuer
        .token()
        .subject("alice")
        .session("laptop");
    let long = long.client("c".repeat(256)).sign();
    let path = "/v1/me/sessions:revoke-others";
    let answer = users.ask(Method::POST, path, &long, &Value::Null).await;
    assert_eq!(
        (answer.status, &answer.json["revoked"]),
        (StatusCode::OK, &json!(0))
    );
    assert!(users.world.is_live(&long).await && users.world.is_live(&again).await);
    assert_eq!(users.list(&long).await[0]["current"], json!(true));
}

#[tokio::test]
async fn other_sessions_end_and_the_current_one_lives() {
    let users = Users::new().await;
    let (phone, tablet, of_bob) = (
        users.used("alice", "phone").await,
        users.used("alice", "tablet").await,
        users.used("bob", "phone-of-bob").await,
    );
    let laptop = users.token("alice", "laptop");
    let path = "/v1/me/sessions:revoke-others";
    let answer = users.ask(Method::POST, path, &laptop, &Value::Null).await;
    assert_eq!(
        (answer.status, &answer.json["revoked"]),
        (StatusCode::OK, &json!(2))
    );
    assert!(answer.json["seen_here_since"].is_u64());
    for (token, lives) in [(phone, false), (tablet, false), (of_bob, true)] {
        assert_eq!(users.world.is_live(&token).await, lives);
    }
    assert!(users.world.is_live(&laptop).await);
    let answer = users.ask(Method::POST, path, &laptop, &Value::Null).await;
    assert_eq!(answer.json["revoked"], 0);
}

#[tokio::test]
async fn typed_token_is_revoked_only_if_it_is_the_own_one() {
    let users = Users::new().await;
    let (laptop, lost) = (users.token("alice", "laptop"), users.token("alice", "lost"));
    let of_bob = users.token("bob", "laptop-of-bob");
    let foreign = TestIssuer::new("https://other.test")
        .token()
        .subject("alice");
    let mut refused = Vec::new();
    for typed in [&*of_bob, "unknown", &foreign.sign()] {
        let answer = users.type_in(&laptop, typed).await;
        answer.is_problem(422);
        refused.push(answer.json);
    }
    refused.dedup();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(users.world.records().await, 0);
    let answer = users.type_in(&laptop, &lost).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(!users.world.is_live(&lost).await && users.world.is_live(&laptop).await);
    assert!(users.world.is_live(&of_bob).await);
}

#[tokio::test]
async fn request_needs_a_live_token_with_a_subject() {
    let users = Users::new().await;
    let service = users.service();
    let request = Request::get("/v1/me/sessions").body(Full::default());
    let missing = answer(service, request.unwrap()).await;
    assert_eq!(missing.status, StatusCode::UNAUTHORIZED);
    assert!(missing.headers.contains_key(WWW_AUTHENTICATE));
    let bare = users.world.issuer.token().without("sub").sign();
    let path = "/v1/me/sessions";
    let answer = users.ask(Method::GET, path, &bare, &Value::Null).await;
    assert!(
        matches!(answer.status.as_u16(), 401 | 403),
        "{}",
        answer.status
    );
    // Nobody knows what is revoked.
    let token = users.token("alice", "laptop");
    let service = users.service_over(users.world.log.clone(), Index::new());
    let unknown = ask(service, Method::GET, path, &token, String::new()).await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(unknown.headers.contains_key(RETRY_AFTER));
    assert!(users.sightings.is_empty());
}

#[tokio::test]
async fn failed_record_is_no_success() {
    let users = Users::new().await;
    users.used("alice", "phone").await;
    let laptop = users.token("alice", "laptop");
    let id = users.list(&laptop).await[1]["id"].clone();
    let full = MemoryLog::new().ceiling(0);
    let service = || users.service_over(full.clone(), users.world.index.clone());
    let id = format!("/v1/me/sessions/{}", id.as_str().unwrap());
    let typed = json!({ "token": laptop }).to_string();
    for (method, path, body) in [
        (Method::DELETE, &*id, ""),
        (Method::POST, "/v1/me/sessions:revoke-others", ""),
        (Method::POST, "/v1/me/tokens:revoke", &*typed),
    ] {
        let answer = ask(service(), method, path, &laptop, body.to_owned()).await;
        answer.is_problem(503);
        assert!(answer.headers.contains_key(RETRY_AFTER), "{path}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let users = Users::new().await;
    let token = users.token("alice", "laptop");
    for (method, path, status) in [
        (Method::GET, "/v1/me", 404),
        (Method::GET, "/v1/me/", 404),
        (Method::GET, "/v1/ME/sessions", 404),
        (Method::GET, "/v1/me/sessions/", 405),
        (Method::GET, "/v1/me/sessions?subject=bob", 400),
        (Method::DELETE, "/v1/me/sessions", 405),
        (Method::GET, "/v1/me/sessions:revoke-others", 405),
        (Method::DELETE, "/v1/me/tokens:revoke", 405),
    ] {
        let answer = users.ask(method, path, &token, &Value::Null).await;
        answer.is_problem(status);
    }
    let service = users.service().path("/account");
    let answer = ask(
        service,
        Method::GET,
        "/account/sessions",
        &token,
        String::new(),
    )
    .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn scope_can_be_required() {
    let users = Users::new().await;
    let path = "/v1/me/sessions";
    for (scope, status) in [("openid", 403), ("openid sessions", 200)] {
        let token = users.world.issuer.token().subject("alice");
        let token = token.claim("scope", scope).sign();
        let service = users.service().scope("sessions");
        let answer = ask(service, Method::GET, path, &token, String::new()).await;
        assert_eq!(answer.status, status, "{scope}");
    }
}

#[tokio::test]
async fn scripts_of_an_allowed_origin_can_call() {
    let users = Users::new().await;
    let token = users.token("alice", "laptop");
    let app = "https://app.example.com";
    let service = || users.service().cors([app.parse().unwrap()]);
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/v1/me/sessions/x")
        .header("origin", app)
        .header("access-control-request-method", "DELETE")
        .header("access-control-request-headers", "authorization")
        .body(Full::default());
    let preflight = answer(service(), preflight.unwrap()).await;
    assert_eq!(preflight.status, StatusCode::OK);
    let allowed = preflight.headers["access-control-allow-methods"].to_str();
    assert!(allowed.unwrap().contains("DELETE"));
    // Also if the request is refused, so that the script can tell why.
    for (origin, token, status) in [
        (app, &*token, 200),
        (app, "x", 401),
        ("https://evil.test", &token, 200),
    ] {
        let request = Request::get("/v1/me/sessions")
            .header("origin", origin)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::default());
        let answer = answer(service(), request.unwrap()).await;
        assert_eq!(answer.status, status);
        let is_told = answer.headers.get("access-control-allow-origin");
        assert_eq!(is_told.is_some(), origin == app, "{origin}");
    }
}
