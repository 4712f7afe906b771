//! Genuine tokens, and how their claims are read.

use std::time::Duration;

use futures::FutureExt as _;
use serde_json::json;
use tower::Service as _;
use tower_revocation::{
    Secret,
    introspect::{
        TokenKind, TokenType,
        jwt::{Audience, JwtTokens},
    },
    log::{NumericDate, Selector, SelectorClass},
};

use crate::jwt::fixture::{
    AUDIENCE, ISSUER, KEY, Key, ask, ask_for, claims, encode, header, now, token, tokens, with,
    without,
};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn all_claims_of_a_token_are_read() {
    let token = ask_for(&json!({
        "iat": 1_800_000_000, "nbf": 1_800_000_001, "exp": 1_800_000_300, "sid": "08a5019c",
        "aud": [AUDIENCE, "https://other.example.com"],
    }))
    .await
    .unwrap();
    assert_eq!(token.kind, TokenKind::AccessToken);
    assert_eq!(token.token_type, Some(TokenType::Bearer));
    assert_eq!(token.iss.as_deref(), Some(ISSUER));
    assert_eq!(token.client_id, "s6BhdRkqt3");
    assert_eq!(token.sub.as_deref(), Some("5ba552d67"));
    assert_eq!(token.aud, [AUDIENCE, "https://other.example.com"]);
    let jti = "dbe39bf3a3ba4238a513f51d6e1691c4";
    assert_eq!(token.jti.as_deref(), Some(jti));
    assert_eq!(token.token, Some(Selector::token(ISSUER, jti)));
    assert_eq!(token.sid.as_deref(), Some("08a5019c"));
    assert_eq!(token.grant, None);
    assert!(token.scope.as_ref().unwrap().contains("profile"));
    assert_eq!(token.iat, Some(NumericDate::new(1_800_000_000)));
    assert_eq!(token.nbf, Some(NumericDate::new(1_800_000_001)));
    assert_eq!(token.exp, Some(NumericDate::new(1_800_000_300)));
    assert!(!token.rotated && token.tenant.is_none());
}

#[tokio::test]
async fn expired_and_not_yet_valid_tokens_are_genuine() {
    let expired = ask_for(&json!({ "iat": now() - 600, "exp": now() - 300 })).await;
    assert!(expired.unwrap().is_expired(NumericDate::now()));
    let ahead = now() + 3600;
    let not_yet = ask_for(&json!({ "iat": ahead, "nbf": ahead, "exp": ahead + 60 })).await;
    let not_yet = not_yet.unwrap();
    assert_eq!(not_yet.iat, Some(NumericDate::new(ahead)));
    assert_eq!(not_yet.nbf, Some(NumericDate::new(ahead)));
    assert!(!not_yet.is_expired(NumericDate::now()));
}

#[tokio::test]
async fn exp_beyond_the_calendar_is_limited_by_the_longest_lifetime() {
    let iat = now();
    for exp in [
        json!(253_402_300_800_u64),
        json!(1_893_456_000_000_u64),
        json!(u64::MAX),
        json!(1e300),
    ] {
        let token = ask_for(&json!({ "iat": iat, "exp": exp })).await;
        let day = NumericDate::new(iat + DAY);
        assert_eq!(token.expect("it is genuine").exp, Some(day), "{exp}");
    }
}

#[tokio::test]
async fn longest_lifetime_limits_the_expiry() {
    let iat = now() - 10;
    let year = json!({ "iat": iat, "exp": iat + 365 * DAY });
    let of_a_day = ask_for(&year).await.unwrap();
    assert_eq!(of_a_day.exp, Some(NumericDate::new(iat + DAY)));
    let stated = NumericDate::new(iat + 365 * DAY);
    assert_eq!(of_a_day.stated_exp, Some(stated));
    assert!(!of_a_day.is_too_old(NumericDate::now()));
    assert!(of_a_day.is_too_old(NumericDate::new(iat + DAY)));
    assert!(!of_a_day.is_too_old(stated));

    let hour = tokens().longest_lifetime(Duration::from_secs(3600));
    let of_an_hour = ask(&hour, &token(&year)).await.unwrap();
    assert_eq!(of_an_hour.exp, Some(NumericDate::new(iat + 3600)));
    let shorter = json!({ "iat": iat, "exp": iat + 60 });
    let shorter = ask(&hour, &token(&shorter)).await.unwrap();
    assert_eq!(shorter.exp, Some(NumericDate::new(iat + 60)));
    assert_eq!(shorter.stated_exp, None);

    let longest = tokens().longest_lifetime(Duration::MAX);
    let whole = ask(&longest, &token(&year)).await.unwrap();
    assert_eq!(whole.exp, Some(NumericDate::new(iat + 365 * DAY)));
}

#[tokio::test]
async fn missing_claims_have_no_selectors() {
    for (member, class) in [
        ("jti", Some(SelectorClass::Token)),
        ("sub", Some(SelectorClass::Subject)),
        ("iat", None),
        ("scope", None),
    ] {
        let token = KEY.sign(&header(), &without(claims(), member));
        let token = ask(&tokens(), &token).await.expect(member);
        if let Some(class) = class {
            assert_eq!(token.selectors_of(class).count(), 0, "{member}");
        }
    }
    let old = KEY.sign(&header(), &without(claims(), "iat"));
    let old = ask(&tokens(), &old).await.unwrap();
    assert_eq!((old.iat, old.exp.is_some()), (None, true));
}

#[tokio::test]
async fn fraction_of_a_second_never_extends_the_lifetime() {
    let token = ask_for(&json!({ "iat": 1_800_000_000.9, "exp": 1_800_000_300.9 })).await;
    let token = token.unwrap();
    assert_eq!(token.iat, Some(NumericDate::new(1_800_000_000)));
    assert_eq!(token.exp, Some(NumericDate::new(1_800_000_300)));
}

#[tokio::test]
async fn bound_token_has_the_selectors_of_its_keys() {
    let (jkt, x5t) = ([0xff; 32], [7; 32]);
    let bound = ask_for(&json!({ "cnf": { "jkt": encode(jkt) } })).await;
    let bound = bound.unwrap();
    assert_eq!(bound.token_type, Some(TokenType::Dpop));
    assert_eq!((bound.cnf.jkt, bound.cnf.x5t_s256), (Some(jkt), None));
    let bound = ask_for(&json!({ "cnf": { "x5t#S256": encode(x5t) } })).await;
    let bound = bound.unwrap();
    assert_eq!(bound.token_type, Some(TokenType::Bearer));
    let mut keys = bound.selectors_of(SelectorClass::Key);
    assert_eq!(keys.next(), Some(Selector::key(&x5t)));
    let both = json!({ "cnf": { "jkt": encode(jkt), "x5t#S256": encode(x5t) } });
    let both = ask_for(&both).await.unwrap();
    assert_eq!(both.selectors_of(SelectorClass::Key).count(), 2);
}

#[tokio::test]
async fn typ_is_compared_without_case_and_prefix() {
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        let token = KEY.sign(&with(header(), &json!({ "typ": typ })), &claims());
        assert!(ask(&tokens(), &token).await.is_some(), "{typ}");
    }
}

#[tokio::test]
async fn one_accepted_audience_is_enough() {
    let audiences = Audience::any_of(["https://one.example.com", AUDIENCE]);
    let several = JwtTokens::new(ISSUER, KEY.set(), audiences);
    assert!(ask(&several, &token(&json!({}))).await.is_some());

    let unchecked = JwtTokens::new(ISSUER, KEY.set(), Audience::unchecked());
    let other = token(&json!({ "aud": "https://other.example.com" }));
    let known = ask(&unchecked, &other).await.unwrap();
    assert_eq!(known.aud, ["https://other.example.com"]);
    let no_audience = KEY.sign(&header(), &without(claims(), "aud"));
    assert!(ask(&unchecked, &no_audience).await.unwrap().aud.is_empty());
}

#[test]
#[should_panic(expected = "there are no audiences")]
fn empty_audience_panics() {
    let _ = Audience::any_of([""; 0]);
}

#[tokio::test]
async fn one_matching_key_is_enough_with_or_without_kid() {
    let other = Key::generate().jwk(&json!({ "kid": "k0" }));
    let set = json!({ "keys": [other, KEY.jwk(&json!({ "kid": "k1" }))] }).to_string();
    let set = tower_revocation::jose::KeySet::from_json(&set).unwrap();
    let tokens = JwtTokens::new(ISSUER, set, Audience::any_of([AUDIENCE]));
    assert!(ask(&tokens, &token(&json!({}))).await.is_some());
    let unnamed = KEY.sign(&without(header(), "kid"), &claims());
    assert!(ask(&tokens, &unnamed).await.is_some());
}

#[tokio::test]
async fn selectors_are_those_of_the_tenant() {
    let tenant = tokens().tenant("tenant-1");
    let token = ask(&tenant, &token(&json!({}))).await.unwrap();
    let mut subjects = token.selectors_of(SelectorClass::Subject);
    let alice = Selector::subject("5ba552d67");
    assert_eq!(subjects.next(), Some(alice.within("tenant-1")));
}

#[test]
fn future_is_ready_at_once_with_keys_at_hand() {
    // There is no runtime: the future waits for nothing and spawns nothing.
    let mut tokens = tokens();
    let genuine = tokens.call(Secret::new(token(&json!({}))));
    assert!(genuine.now_or_never().unwrap().unwrap().token().is_some());
    let nothing = tokens.call(Secret::new("45ghiukldjahdnhzdauz"));
    assert!(nothing.now_or_never().unwrap().unwrap().token().is_none());
}

#[tokio::test]
async fn debug_output_shows_nothing_of_a_token() {
    let mut tokens = tokens();
    let compact = token(&json!({}));
    let future = tokens.call(Secret::new(&*compact));
    let printed = format!("{tokens:?} {future:?}");
    for part in compact.split('.').chain(["5ba552d67", "dbe39bf3"]) {
        assert!(!printed.contains(part));
    }
    assert!(future.await.unwrap().token().is_some());
}
