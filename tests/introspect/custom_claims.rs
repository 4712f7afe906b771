//! Claims that are read into a type of the user.

use axum::{Router, extract::FromRequestParts, routing::get};
use hyper::{Request, StatusCode, header::AUTHORIZATION, http::request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::{BoxError, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Index},
    introspect::{ClaimsError, Introspection, TokenKind},
    log::MemoryLog,
};

use crate::{
    jwt::fixture::{ask_for, token, tokens},
    upstream::{active, ask, server::Server},
};

#[derive(Debug, Deserialize, PartialEq)]
struct Employee {
    sub: String,
    email: String,
    #[serde(default)]
    roles: Vec<String>,
}

fn alice() -> Employee {
    Employee {
        sub: "alice".into(),
        email: "alice@example.com".into(),
        roles: vec!["admin".into(), "\u{fc}ber \"quoted\"".into()],
    }
}

fn claims_of_alice() -> Value {
    json!({
        "sub": "alice", "email": "alice@example.com", "roles": ["admin", "\u{fc}ber \"quoted\""],
        "address": { "country": "NL" },
    })
}

fn own_token() -> Introspection {
    Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3")
}

#[tokio::test]
async fn claims_of_a_jwt_are_read_into_an_own_type() {
    let token = ask_for(&claims_of_alice()).await.unwrap();
    assert_eq!(token.claims_as::<Employee>().unwrap(), alice());
    // The standard claims are there too, as the issuer wrote them.
    let all: Value = token.claims_as().unwrap();
    assert_eq!(all["iss"], "https://as.example.com");
    assert_eq!(all["address"]["country"], "NL");
    assert_eq!(all["exp"], token.exp.unwrap().seconds());
}

#[tokio::test]
async fn borrowed_types_can_be_read() {
    #[derive(Deserialize)]
    struct Borrowed<'a> {
        email: &'a str,
    }
    let token = ask_for(&claims_of_alice()).await.unwrap();
    let borrowed: Borrowed<'_> = token.claims_as().unwrap();
    assert_eq!(borrowed.email, "alice@example.com");
}

#[tokio::test]
async fn members_of_a_response_are_read_into_an_own_type_also_from_the_cache() {
    let server = Server::json(active(claims_of_alice())).await;
    let upstream = server.upstream();
    for _ in 0..2 {
        let token = ask(&upstream, "t").await.unwrap().unwrap();
        assert_eq!(token.claims_as::<Employee>().unwrap(), alice());
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn error_about_claims_shows_nothing_of_the_token() {
    #[derive(Debug, Deserialize)]
    struct Numbered {
        #[serde(rename = "email")]
        _email: u64,
    }
    let token = ask_for(&claims_of_alice()).await.unwrap();
    let error = token.claims_as::<Numbered>().unwrap_err();
    assert!(error.detail().contains("alice@example.com"));
    for shown in [
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
    ] {
        assert!(!shown.contains("alice"), "{shown}");
    }

    let other = ask_for(&json!({ "sub": "alice" })).await.unwrap();
    let error = other.claims_as::<Employee>().unwrap_err();
    assert!(error.detail().contains("missing field `email`"));
}

#[tokio::test]
async fn debug_output_hides_the_json() {
    let token = ask_for(&claims_of_alice()).await.unwrap();
    assert!(token.json().unwrap().contains("alice@example.com"));
    assert!(!format!("{token:?}").contains("alice@example.com"));
}

#[test]
fn token_without_json_reads_like_an_empty_object() {
    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Optional {
        email: Option<String>,
    }
    let token = own_token();
    assert_eq!(token.json(), None);
    assert_eq!(token.claims_as::<Optional>().unwrap(), Optional::default());
    assert!(token.claims_as::<Employee>().is_err());
}

#[test]
fn own_introspection_can_set_the_json() -> Result<(), ClaimsError> {
    let mut token = own_token();
    token.set_json(claims_of_alice().to_string())?;
    assert_eq!(token.claims_as::<Employee>()?, alice());
    // The fields are independent of the JSON, and comparisons ignore it.
    assert_eq!(token.sub, None);
    assert_eq!(token, own_token());
    assert_eq!(
        token.clone().into_claims().claims_as::<Employee>()?,
        alice()
    );

    let nested = format!("{{\"a\":{}{}}}", "[".repeat(20), "]".repeat(20));
    for malformed in [
        "",
        "null",
        "[]",
        "\"text\"",
        "{",
        "{} {}",
        r#"{"email":"a","email":"b"}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a":1e999}"#,
        &nested,
    ] {
        assert!(token.set_json(malformed).is_err(), "{malformed}");
        // The earlier JSON stays.
        assert_eq!(token.claims_as::<Employee>()?, alice());
    }
    Ok(())
}

impl<S: Sync> FromRequestParts<S> for Employee {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let token = parts.extensions.get::<Introspection>();
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        token.claims_as().map_err(|_| StatusCode::FORBIDDEN)
    }
}

async fn status(router: &Router, token: &str) -> StatusCode {
    let request = Request::get("/").header(AUTHORIZATION, format!("Bearer {token}"));
    let request = request.body(axum::body::Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn extractor_reads_the_claims_behind_enforcement() {
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let greet = get(async |employee: Employee| format!("Hello {}!", employee.email));
    let router = Router::new().route("/", greet);
    let enforced = router.clone().layer(EnforcementLayer::new(tokens(), index));
    let of_alice = token(&claims_of_alice());
    assert_eq!(status(&enforced, &of_alice).await, StatusCode::OK);
    assert_eq!(
        status(&enforced, &token(&json!({}))).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(status(&router, &of_alice).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn wrapper_that_changes_a_field_keeps_the_json() {
    let tenant = service_fn(async |token: Secret| {
        let introspected = tokens().oneshot(token).await?;
        let mut token = introspected.into_token();
        if let Some(token) = &mut token {
            token.tenant = Some("one".into());
        }
        Ok::<_, BoxError>(token)
    });
    let introspected = tenant.oneshot(Secret::new(token(&claims_of_alice()))).await;
    let token = introspected.unwrap().unwrap();
    assert_eq!(token.claims_as::<Employee>().unwrap(), alice());
}
