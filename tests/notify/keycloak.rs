//! Ending the sessions of a subject at Keycloak.

use std::time::Duration;

use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    log::SelectorClass,
    notify::{Keycloak, Notice, NotifyError, NotifyErrorKind},
};

use super::receiver::{self, ANYWHERE, Receiver, status};

fn of(server: &Receiver, secret: &str) -> Keycloak {
    let realm = format!("{}/realms/shop", server.url);
    Keycloak::new(&realm, "revocation", &Secret::new(secret)).unwrap()
}

async fn log_out(keycloak: &Keycloak, subject: &str) -> Result<(), NotifyError> {
    let mut notice = Notice::new("1", SelectorClass::Subject, "https://id.test");
    notice.subject = Some(subject.to_owned());
    keycloak.clone().oneshot(notice).await
}

fn paths(server: &Receiver) -> Vec<String> {
    let received = server.received();
    received.into_iter().map(|received| received.path).collect()
}

const TOKEN: &str = "/realms/shop/protocol/openid-connect/token";
const ALICE: &str = "/admin/realms/shop/users/alice/logout";

#[tokio::test]
async fn user_is_logged_out_with_an_access_token_that_is_kept() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    let keycloak = of(&server, "s3cret");
    log_out(&keycloak, "alice").await.unwrap();
    log_out(&keycloak, "alice").await.unwrap();
    assert_eq!(paths(&server), [TOKEN, ALICE, ALICE]);
    let received = server.received();
    assert_eq!(received[0].body, "grant_type=client_credentials");
    assert!(received.iter().all(|received| received.method == "POST"));
}

#[tokio::test]
async fn token_that_is_refused_is_fetched_again_once() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    let keycloak = of(&server, "s3cret");
    log_out(&keycloak, "alice").await.unwrap();
    server.next(status(401));
    log_out(&keycloak, "alice").await.unwrap();
    assert_eq!(paths(&server), [TOKEN, ALICE, ALICE, TOKEN, ALICE]);

    // One that is refused again is not used a third time, here or later.
    server.next(status(401));
    server.next(receiver::json(
        200,
        r#"{"access_token":"wrong","expires_in":60}"#,
    ));
    let error = log_out(&keycloak, "alice").await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Unauthorized);
    log_out(&keycloak, "alice").await.unwrap();
    let seen = paths(&server);
    assert_eq!(seen[5..], [ALICE, TOKEN, ALICE, TOKEN, ALICE]);
}

#[tokio::test]
async fn short_token_is_not_used_twice() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    let keycloak = of(&server, "s3cret");
    server.next(receiver::json(
        200,
        r#"{"access_token":"t-0","expires_in":5}"#,
    ));
    log_out(&keycloak, "alice").await.unwrap();
    log_out(&keycloak, "alice").await.unwrap();
    assert_eq!(paths(&server), [TOKEN, ALICE, TOKEN, ALICE]);
}

#[tokio::test]
async fn user_that_is_gone_has_no_sessions() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    log_out(&of(&server, "s3cret"), "mallory").await.unwrap();
}

#[tokio::test]
async fn not_found_by_anything_else_is_a_failure() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    let keycloak = of(&server, "s3cret");
    log_out(&keycloak, "alice").await.unwrap();
    for answer in [
        status(404),
        receiver::json(404, r#"{"error":"Realm not found."}"#),
        receiver::json(404, r#"{"error":"HTTP 404 Not Found"}"#),
    ] {
        server.next(answer);
        let error = log_out(&keycloak, "alice").await.unwrap_err();
        assert!(matches!(error.kind(), NotifyErrorKind::Status(it) if it == 404));
    }
}

#[tokio::test]
async fn failures_have_their_kind_and_no_secret() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    let wrong = log_out(&of(&server, "hunter2"), "alice").await.unwrap_err();
    assert_eq!(wrong.kind(), NotifyErrorKind::Unauthorized);
    assert!(!format!("{wrong:?} {wrong}").contains("hunter2"));

    let keycloak = of(&server, "s3cret");
    assert!(!format!("{keycloak:?}").contains("s3cret"));
    log_out(&keycloak, "alice").await.unwrap();
    server.next(status(503));
    let error = log_out(&keycloak, "alice").await.unwrap_err();
    assert!(matches!(error.kind(), NotifyErrorKind::Status(it) if it == 503));
    server.next(status(403));
    let error = log_out(&keycloak, "alice").await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Unauthorized);
    server.next(receiver::json(200, "{}"));
    let error = log_out(&keycloak, "alice").await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::Malformed);
    server.stall(true);
    let slow = keycloak.timeout(Duration::from_millis(50));
    let error = log_out(&slow, "alice").await.unwrap_err();
    assert_eq!(error.kind(), NotifyErrorKind::TimedOut);
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    let keycloak = of(&server, "s3cret");
    let elsewhere = receiver::keycloak_at(ANYWHERE).await;
    let mut redirect = status(307);
    let to = format!("{}{ALICE}", elsewhere.url).parse().unwrap();
    redirect.headers_mut().insert("location", to);
    server.next(receiver::json(200, r#"{"access_token":"t-0"}"#));
    server.next(redirect);
    let error = log_out(&keycloak, "alice").await.unwrap_err();
    assert!(matches!(error.kind(), NotifyErrorKind::Status(it) if it == 307));
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn subject_that_could_be_another_path_is_never_sent() {
    let server = receiver::keycloak_at(ANYWHERE).await;
    let keycloak = of(&server, "s3cret");
    for subject in ["..", "a/../b", "%2e%2e", "alice?x"] {
        let error = log_out(&keycloak, subject).await.unwrap_err();
        assert_eq!(error.kind(), NotifyErrorKind::Unsupported);
    }
    let other = Notice::new("1", SelectorClass::Client, "https://id.test");
    let error = keycloak.oneshot(other).await.unwrap_err();
    assert!(error.kind().is_final());
    assert!(server.received().is_empty());
}
