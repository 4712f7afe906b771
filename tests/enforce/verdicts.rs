//! The verdicts that follow from the introspection alone.

use std::time::Duration;

use hyper::StatusCode;
use tower_revocation::{
    enforce::Verdict,
    introspect::{Introspection, Reason, TokenKind},
    log::{NumericDate, Revocation, RevocationLog as _, Selector, SelectorClass},
};

use crate::fixture::{good, guarded, verdict, with_token};

async fn verdict_of(change: impl FnOnce(&mut Introspection)) -> Option<Verdict> {
    let mut token = good();
    change(&mut token);
    let (layer, _) = guarded(token).await;
    verdict(&layer, with_token()).await.1
}

fn ahead(seconds: u64) -> NumericDate {
    NumericDate::now() + Duration::from_secs(seconds)
}

#[tokio::test]
async fn refresh_token_is_refused() {
    let refresh = |token: &mut Introspection| token.kind = TokenKind::RefreshToken;
    let reason = Some(Verdict::Invalid(Reason::Kind));
    assert_eq!(verdict_of(refresh).await, reason);
}

#[tokio::test]
async fn rotated_token_is_refused() {
    let mut token = good();
    token.rotated = true;
    let (layer, _) = guarded(token).await;
    let refused = Some(Verdict::Invalid(Reason::Rotated));
    assert_eq!(
        verdict(&layer, with_token()).await,
        (StatusCode::UNAUTHORIZED, refused)
    );
}

#[tokio::test]
async fn expired_token_is_refused_from_that_second() {
    assert_eq!(
        verdict_of(|token| token.exp = Some(ahead(0))).await,
        Some(Verdict::Expired)
    );
    assert_eq!(verdict_of(|token| token.exp = Some(ahead(2))).await, None);
    assert_eq!(verdict_of(|token| token.exp = None).await, None);
}

#[tokio::test]
async fn token_that_only_a_limit_of_ours_has_ended_is_too_old() {
    let ended = |stated: Option<NumericDate>| {
        verdict_of(move |token| {
            token.exp = Some(ahead(0));
            token.stated_exp = stated;
        })
    };
    let too_old = Some(Verdict::Invalid(Reason::TooOld));
    assert_eq!(ended(Some(ahead(1000))).await, too_old);
    assert_eq!(ended(Some(NumericDate::FOREVER)).await, too_old);
    assert_eq!(ended(Some(ahead(0))).await, Some(Verdict::Expired));
}

#[tokio::test]
async fn token_of_the_future_is_refused_beyond_the_leeway() {
    assert_eq!(verdict_of(|token| token.nbf = Some(ahead(30))).await, None);
    assert_eq!(
        verdict_of(|token| token.nbf = Some(ahead(120))).await,
        Some(Verdict::Invalid(Reason::NotYet))
    );
    assert_eq!(verdict_of(|token| token.iat = Some(ahead(30))).await, None);
    // No watermark of now would cover it.
    assert_eq!(
        verdict_of(|token| token.iat = Some(ahead(120))).await,
        Some(Verdict::Invalid(Reason::NotYet))
    );
}

#[tokio::test]
async fn token_without_iat_is_refused_unless_allowed() {
    assert_eq!(
        verdict_of(|token| token.iat = None).await,
        Some(Verdict::Invalid(Reason::NoIat))
    );
    let mut token = good();
    token.iat = None;
    let (layer, log) = guarded(token).await;
    let layer = layer.allow_missing_iat(true);
    assert_eq!(verdict(&layer, with_token()).await, (StatusCode::OK, None));

    // It may have been issued before the watermark.
    let long_ago = NumericDate::new(1000);
    let record = Revocation::watermark(Selector::subject("alice"), long_ago, NumericDate::FOREVER);
    log.append(vec![record]).await.unwrap();
    let revoked = Some(Verdict::Revoked(Some(SelectorClass::Subject)));
    assert_eq!(verdict(&layer, with_token()).await.1, revoked);
}

#[tokio::test]
async fn watermark_covers_its_own_second_and_no_later_one() {
    let token = good();
    let iat = token.iat.unwrap();
    for (not_before, covered) in [
        (iat.seconds() - 1, false),
        (iat.seconds(), true),
        (iat.seconds() + 1, true),
    ] {
        let (layer, log) = guarded(token.clone()).await;
        let not_before = NumericDate::new(not_before);
        for selector in [
            Selector::issuer("https://as.example.com"),
            Selector::key(&[1; 32]),
        ] {
            let record = Revocation::watermark(selector, not_before, NumericDate::FOREVER);
            log.append(vec![record]).await.unwrap();
        }
        let (status, _) = verdict(&layer, with_token()).await;
        assert_eq!(
            status == StatusCode::UNAUTHORIZED,
            covered,
            "{not_before:?}"
        );
    }
}

#[tokio::test]
async fn token_without_a_required_selector_is_refused_whatever_is_revoked() {
    let mut token = good();
    token.sid = None;
    let (layer, log) = guarded(token).await;
    assert_eq!(verdict(&layer, with_token()).await.1, None);

    let requiring = layer.clone().require(SelectorClass::Session);
    assert_eq!(
        verdict(&requiring, with_token()).await.1,
        Some(Verdict::Invalid(Reason::LacksSelector))
    );
    // A record of a session does not refuse tokens without a session.
    let record = Revocation::forever(Selector::session("s2"), NumericDate::FOREVER);
    log.append(vec![record]).await.unwrap();
    assert_eq!(verdict(&layer, with_token()).await.1, None);
    assert_eq!(
        verdict(&requiring, with_token()).await.1,
        Some(Verdict::Invalid(Reason::LacksSelector))
    );
}
