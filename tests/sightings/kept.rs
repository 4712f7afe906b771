//! What is kept of a token, and for how long.

use std::time::Duration;

use tower_revocation::{
    log::{Revocation, RevocationLog as _},
    sightings::{Browser, State},
};

use super::*;

#[tokio::test]
async fn request_that_passes_is_noted_with_its_token() {
    let (_log, index) = followed().await;
    let sightings = Sightings::new();
    let token = token("jti-1");
    let begun = NumericDate::now();
    assert_eq!(visit(&sightings, &index, &token).await, StatusCode::OK);
    assert_eq!(visit(&sightings, &index, &token).await, StatusCode::OK);
    let [seen] = &sightings.of_subject(None, "alice")[..] else {
        panic!("one token");
    };
    assert_eq!(
        (&*seen.client_id, seen.iss.as_deref()),
        ("shop", Some(ISSUER))
    );
    assert_eq!((seen.iat, seen.exp), (token.iat, token.exp));
    assert_eq!(seen.browser, Browser::Firefox);
    assert_eq!(seen.network.unwrap().to_string(), "203.0.113.0/24");
    assert!(seen.first_use >= begun && seen.last_use <= NumericDate::now());
    assert_eq!(seen.selector(), Selector::token(ISSUER, "jti-1"));
    assert_eq!(seen.session(), Selector::session("s1"));
    assert!(sightings.since() <= begun && sightings.len() == 1);
}

#[tokio::test]
async fn refused_request_is_not_noted() {
    let (log, index) = followed().await;
    let sightings = Sightings::new();
    let record = Revocation::forever(Selector::session("s1"), NumericDate::FOREVER);
    log.append(vec![record]).await.unwrap();
    let status = visit(&sightings, &index, &token("jti-1")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(sightings.is_empty());
}

#[tokio::test]
async fn nothing_shows_the_token_the_address_or_the_user_agent() {
    let (_log, index) = followed().await;
    let sightings = Sightings::new();
    visit(&sightings, &index, &token("jti-secret")).await;
    let seen = sightings.of_subject(None, "alice");
    let text = format!("{seen:?} {sightings:?}");
    for secret in ["mF_9", "jti-secret", "113.77", "140.0", "Gecko", "s1", "g1"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn session_of_a_token_is_its_sid_or_its_grant_or_itself() {
    let sightings = Sightings::new();
    let seen = |token: &Introspection| {
        let subject = token.sub.as_deref().unwrap();
        note(&sightings, token);
        let seen = sightings.of_subject(token.tenant.as_deref(), subject);
        seen[0].clone()
    };
    let mut token = token("jti-1");
    token.ancestors = vec!["g0".into()];
    let of = |token: &mut Introspection, subject: &str| token.sub = Some(subject.into());
    of(&mut token, "a");
    assert_eq!(seen(&token).session(), Selector::session("s1"));
    token.sid = None;
    of(&mut token, "b");
    assert_eq!(seen(&token).session(), Selector::grant("g1"));
    token.tenant = Some("t".into());
    of(&mut token, "c");
    assert_eq!(seen(&token).session(), Selector::grant("g1").within("t"));
    // The grant of an ancestor is not the session of the token.
    token.grant = None;
    of(&mut token, "d");
    assert_eq!(seen(&token).session(), Selector::token(ISSUER, "jti-1"));
}

#[test]
fn token_that_nothing_names_is_not_noted() {
    let sightings = Sightings::new();
    let mut without_subject = token("jti-1");
    without_subject.sub = None;
    let mut nameless = token("jti-1");
    (nameless.token, nameless.sid, nameless.grant) = (None, None, None);
    for token in [&without_subject, &nameless] {
        note(&sightings, token);
    }
    assert!(sightings.is_empty());
    // A session is enough.
    nameless.sid = Some("s1".into());
    note(&sightings, &nameless);
    note(&sightings, &nameless);
    assert_eq!(sightings.len(), 1);
}

#[test]
fn subjects_of_two_tenants_are_two() {
    let sightings = Sightings::new();
    let mut token = token("jti-1");
    for tenant in [None, Some("https://one.test"), Some("https://two.test")] {
        token.tenant = tenant.map(Into::into);
        note(&sightings, &token);
        assert_eq!(sightings.of_subject(tenant, "alice").len(), 1);
    }
    assert_eq!(sightings.len(), 3);
    assert!(
        sightings
            .of_subject(Some("https://three.test"), "alice")
            .is_empty()
    );
    assert!(sightings.of_subject(None, "alic").is_empty());
}

#[tokio::test]
async fn state_is_that_of_every_selector() {
    let (log, index) = followed().await;
    let mut token = token("jti-1");
    token.tenant = Some("t".into());
    token.ancestors = vec!["g0".into()];
    token.cnf.jkt = Some([7; 32]);
    let sightings = Sightings::new();
    note(&sightings, &token);
    let seen = sightings.of_subject(Some("t"), "alice")[0].clone();
    assert_eq!(seen.state(&index), State::Live);
    assert_eq!(seen.state(&Index::new()), State::Unknown);
    drop(log);
    for selector in token.selectors() {
        let (log, index) = followed().await;
        let now = NumericDate::now();
        let record = Revocation::watermark(selector, now, NumericDate::FOREVER);
        log.append(vec![record]).await.unwrap();
        assert_eq!(seen.state(&index), State::Revoked, "{selector:?}");
    }
    // A watermark from before the token was issued.
    let (log, index) = followed().await;
    let before = NumericDate::new(token.iat.unwrap().seconds() - 1);
    let subject = Selector::subject("alice").within("t");
    let record = Revocation::watermark(subject, before, NumericDate::FOREVER);
    log.append(vec![record]).await.unwrap();
    assert_eq!(seen.state(&index), State::Live);
}

#[test]
fn expired_and_idle_tokens_are_over() {
    let sightings = Sightings::new().idle_after(Duration::from_secs(600));
    let now = NumericDate::now();
    let mut expired = token("jti-1");
    expired.exp = Some(now);
    note(&sightings, &token("jti-2"));
    note(&sightings, &expired);
    assert_eq!(sightings.of_subject(None, "alice").len(), 1);
    assert_eq!(sightings.len(), 2);
    sightings.sweep(now);
    assert_eq!(sightings.len(), 1);
    sightings.sweep(NumericDate::new(now.seconds() + 500));
    assert_eq!(sightings.len(), 1);
    sightings.sweep(NumericDate::new(now.seconds() + 700));
    assert!(sightings.is_empty());
    // The place is free again.
    note(&sightings, &token("jti-2"));
    assert_eq!(sightings.of_subject(None, "alice").len(), 1);
}

#[test]
fn known_token_allocates_nothing() {
    let sightings = Sightings::new();
    let token = token("jti-1");
    let (head, ()) = Request::new(()).into_parts();
    let note = || sightings.note(&token, &head.headers, &head.extensions);
    note();
    let used = allocation_counter::measure(note);
    assert_eq!(used.count_total, 0);
}
