//! How many sightings an order would end.

use tower_revocation::{
    log::{Revocation, RevocationLog as _},
    revoke::{AdminRequest, Target},
};

use super::*;

/// Two tokens of `alice` in one session, one of them of another client, and one of `bob`.
fn seen() -> Sightings {
    let sightings = Sightings::new();
    let mut bound = token("jti-1");
    bound.cnf.jkt = Some([7; 32]);
    let mut other = token("jti-2");
    other.client_id = "app".into();
    other.grant = Some("g2".into());
    let mut of_bob = token("jti-3");
    of_bob.sub = Some("bob".into());
    (of_bob.sid, of_bob.grant) = (None, None);
    of_bob.iss = Some("https://other.example.com".into());
    for token in [bound, other, of_bob] {
        note(&sightings, &token);
    }
    sightings
}

fn subject(name: &str) -> Target {
    Target::Subject(name.into())
}

#[tokio::test]
async fn each_target_ends_its_tokens() {
    let (_log, index) = followed().await;
    let sightings = seen();
    let of_both = Target::SubjectAndClient {
        subject: "alice".into(),
        client_id: "app".into(),
    };
    let jti = Target::Token {
        issuer: ISSUER.into(),
        jti: "jti-3".into(),
    };
    for (target, expected) in [
        (subject("alice"), 2),
        (subject("carol"), 0),
        (of_both, 1),
        (Target::Client("shop".into()), 2),
        (Target::Session("s1".into()), 2),
        (Target::Grant("g1".into()), 1),
        (Target::Key([7; 32]), 1),
        (Target::Key([8; 32]), 0),
        (Target::Issuer(ISSUER.into()), 2),
        (jti, 1),
        (Target::Selected(Selector::grant("g2")), 1),
    ] {
        let request = AdminRequest::new(target.clone());
        assert_eq!(
            sightings.ended_by(&[request], &index),
            expected,
            "{target:?}"
        );
    }
    // In another tenant there is nobody.
    let elsewhere = AdminRequest::new(subject("alice")).within("t");
    assert_eq!(sightings.ended_by(&[elsewhere], &index), 0);
}

#[tokio::test]
async fn token_of_two_orders_counts_once() {
    let (_log, index) = followed().await;
    let requests = [
        Target::Session("s1".into()),
        subject("alice"),
        subject("bob"),
    ];
    let requests = requests.map(AdminRequest::new);
    assert_eq!(seen().ended_by(&requests, &index), 3);
}

#[tokio::test]
async fn date_spares_newer_tokens() {
    let (_log, index) = followed().await;
    let issued = NumericDate::now().seconds() - 60;
    for (before, expected) in [(issued - 10, 0), (issued + 10, 2)] {
        let request = AdminRequest::new(subject("alice")).before(NumericDate::new(before));
        assert_eq!(seen().ended_by(&[request], &index), expected);
    }
}

#[tokio::test]
async fn token_that_is_not_live_does_not_count() {
    let (log, index) = followed().await;
    let sightings = seen();
    let record = Revocation::forever(Selector::grant("g2"), NumericDate::FOREVER);
    log.append(vec![record]).await.unwrap();
    let request = [AdminRequest::new(subject("alice"))];
    assert_eq!(sightings.ended_by(&request, &index), 1);
    assert_eq!(sightings.ended_by(&request, &Index::new()), 0);
}
