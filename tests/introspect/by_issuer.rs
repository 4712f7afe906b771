//! `ByIssuer`: which introspection verifies a token, and that no issuer speaks for another.

use http_body_util::Empty;
use hyper::{Request, Response, StatusCode, body::Bytes};
use serde_json::{Value, json};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    enforce::{EnforcementLayer, Index},
    introspect::{
        ByIssuer, Introspected, Introspection, Reason, TokenKind,
        jwt::{Audience, JwtTokens},
    },
    jose::Keys,
    log::{MemoryLog, Selector},
    revoke::{AdminRequest, Administration, RecordRevocation, Target},
    test_util::{TestIssuer, TestToken},
};

use crate::{
    jwt::fixture::{AUDIENCE, ISSUER, KEY, claims, header, with},
    port::free_port,
};

const SHOP: &str = "https://shop.test";
const BANK: &str = "https://bank.test";

struct Two {
    shop: TestIssuer,
    bank: TestIssuer,
}

impl Two {
    fn new() -> Self {
        let [shop, bank] = [SHOP, BANK].map(TestIssuer::new);
        Self { shop, bank }
    }

    fn tokens(&self) -> ByIssuer<JwtTokens> {
        ByIssuer::new()
            .issuer(SHOP, self.shop.tokens().tenant(SHOP))
            .issuer(BANK, self.bank.tokens().tenant(BANK))
    }

    /// A token of each issuer with the same names in it.
    fn namesakes(&self) -> [String; 2] {
        let same = |token: TestToken| {
            let token = token.subject("alice").client("web").id("1");
            token.session("s").grant("g").sign()
        };
        [same(self.shop.token()), same(self.bank.token())]
    }
}

async fn ask<S>(tokens: &ByIssuer<S>, token: &str) -> Introspected
where
    ByIssuer<S>: tower::Service<Secret, Response = Introspected, Error = BoxError> + Clone,
{
    let introspected = tokens.clone().oneshot(Secret::new(token)).await;
    introspected.expect("it finds out")
}

#[tokio::test]
async fn each_token_is_verified_by_its_own_issuer() {
    let two = Two::new();
    let tokens = two.tokens();
    for issuer in [&two.shop, &two.bank] {
        let token = ask(&tokens, &issuer.token().sign()).await;
        let token = token.into_token().unwrap();
        assert_eq!(token.iss.as_deref(), Some(issuer.issuer()));
        assert_eq!(token.tenant.as_deref(), Some(issuer.issuer()));
    }
}

#[tokio::test]
async fn issuer_cannot_sign_for_another_one() {
    let two = Two::new();
    let tokens = two.tokens();
    for (signer, named) in [(&two.shop, BANK), (&two.bank, SHOP)] {
        let forged = signer.token().claim("iss", named).sign();
        // The `kid` is not one of the named issuer's either.
        let refused = ask(&tokens, &forged).await;
        assert_eq!(refused, Introspected::Unrecognised(Reason::UnknownKey));
        let forged = signer.token().claim("iss", named).kid(None).sign();
        let refused = ask(&tokens, &forged).await;
        assert_eq!(refused, Introspected::Unrecognised(Reason::Signature));
    }
}

#[tokio::test]
async fn spelling_of_an_issuer_is_exact() {
    let two = Two::new();
    let tokens = two.tokens();
    for iss in [
        json!("https://SHOP.test"),
        json!("https://shop.test/"),
        json!(" https://shop.test"),
        json!("https://shop.test\u{0}"),
        json!(""),
        json!("x".repeat(8000)),
        json!([SHOP]),
        json!([SHOP, BANK]),
        json!({ "iss": SHOP }),
        json!(1),
        Value::Null,
    ] {
        let token = two.shop.token().claim("iss", &iss).sign();
        let refused = ask(&tokens, &token).await;
        assert_eq!(refused, Introspected::Unrecognised(Reason::Issuer), "{iss}");
    }
}

#[tokio::test]
async fn two_issuers_in_one_token_name_nobody() {
    let jwt = JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE]));
    let tokens = ByIssuer::new()
        .issuer(ISSUER, jwt.clone().tenant(ISSUER))
        .issuer(BANK, jwt);
    let once = KEY.sign(&header(), &claims());
    assert!(ask(&tokens, &once).await.token().is_some());
    for first in [ISSUER, BANK] {
        let again = claims().to_string();
        let again = again.replacen('{', &format!(r#"{{"iss":"{first}","#), 1);
        let token = KEY.sign_text(&header().to_string(), &again);
        let refused = ask(&tokens, &token).await;
        assert_eq!(refused, Introspected::Unrecognised(Reason::Issuer));
    }
}

#[tokio::test]
async fn opaque_and_overlong_tokens_have_no_issuer() {
    let two = Two::new();
    let tokens = two.tokens();
    for opaque in ["45ghiukldjahdnhzdauz", "", "a.b.c", "a.b.c.d.e"] {
        let refused = ask(&tokens, opaque).await;
        assert_eq!(refused, Introspected::Unrecognised(Reason::NotAToken));
    }
    // It may be a live token.
    let long = two.shop.token().claim("x", "y".repeat(20_000)).sign();
    let unread = Introspected::unhandled(Reason::NotAToken, None);
    assert_eq!(ask(&tokens, &long).await, unread);
    let default = tokens.default_issuer(BANK, two.bank.tokens());
    assert_eq!(ask(&default, &long).await, unread);
}

#[tokio::test]
async fn names_of_two_issuers_are_different_names() {
    let two = Two::new();
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let administration = Administration::new(log.clone());
    let [shop, bank] = two.namesakes();
    for target in [
        Target::Subject("alice".into()),
        Target::Client("web".into()),
        Target::Session("s".into()),
        Target::Grant("g".into()),
    ] {
        let request = AdminRequest::new(target).within(SHOP);
        administration.clone().oneshot(request).await.unwrap();
    }
    // Even without a tenant in the introspection of the issuer.
    let plain = ByIssuer::new()
        .issuer(SHOP, two.shop.tokens())
        .issuer(BANK, two.bank.tokens());
    for tokens in [two.tokens(), plain] {
        let [shop, bank] = [
            ask(&tokens, &shop).await.into_token().unwrap(),
            ask(&tokens, &bank).await.into_token().unwrap(),
        ];
        assert!(index.covers(&shop) && !index.covers(&bank));
        let common = |selector: &Selector| bank.selectors().any(|other| other == *selector);
        assert!(!shop.selectors().any(|selector| common(&selector)));
    }
}

#[tokio::test]
async fn revoked_token_leaves_its_namesake_alive() {
    let two = Two::new();
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let tokens = two.tokens();
    let backend = RecordRevocation::new(tokens.clone(), log.clone());
    let [shop, bank] = two.namesakes();
    let request = RevocationRequest::new("web", Secret::new(&*shop));
    let outcome = backend.oneshot(request).await.unwrap();
    assert_eq!(outcome, Outcome::Revoked);
    assert!(index.covers(&ask(&tokens, &shop).await.into_token().unwrap()));
    assert!(!index.covers(&ask(&tokens, &bank).await.into_token().unwrap()));
}

#[tokio::test]
async fn unreachable_issuer_stops_only_its_own_tokens() {
    let two = Two::new();
    let uri = format!("http://127.0.0.1:{}/jwks", free_port());
    let audience = Audience::any_of([TestIssuer::AUDIENCE]);
    let away = JwtTokens::new(SHOP, Keys::from_uri(&uri).unwrap(), audience);
    let tokens = ByIssuer::new()
        .issuer(SHOP, away.tenant(SHOP))
        .issuer(BANK, two.bank.tokens().tenant(BANK));
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let api =
        EnforcementLayer::new(tokens, index).layer(service_fn(async |_: Request<Empty<Bytes>>| {
            Ok::<_, BoxError>(Response::new(String::new()))
        }));
    let status = async |token: String| {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(Empty::new()).unwrap();
        api.clone().oneshot(request).await.unwrap().status()
    };
    let unknown = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(status(two.shop.token().sign()).await, unknown);
    assert_eq!(status(two.bank.token().sign()).await, StatusCode::OK);
    let forged = two.bank.token().forged().sign();
    assert_eq!(status(forged).await, StatusCode::UNAUTHORIZED);
    let elsewhere = two.bank.token().claim("iss", "https://x.test").sign();
    assert_eq!(status(elsewhere).await, StatusCode::UNAUTHORIZED);
}

type Boxed = BoxCloneSyncService<Secret, Introspected, BoxError>;

/// An introspection endpoint that says this about every token.
fn says(edit: impl Fn(&mut Introspection) + Clone + Send + Sync + 'static) -> Boxed {
    let service = service_fn(move |_: Secret| {
        let mut token = Introspection::new(TokenKind::AccessToken, "web");
        token.sub = Some("alice".into());
        edit(&mut token);
        std::future::ready(Ok(Introspected::Token(token)))
    });
    BoxCloneSyncService::new(service)
}

#[tokio::test]
async fn default_gets_what_names_no_issuer() {
    let two = Two::new();
    let jwt = two.shop.tokens().tenant(SHOP);
    let jwt = jwt.map_err(BoxError::from);
    let tokens = ByIssuer::new()
        .issuer(SHOP, BoxCloneSyncService::new(jwt))
        .default_issuer(BANK, says(|_| {}));
    let dead = two.shop.token().forged().sign();
    assert!(ask(&tokens, &dead).await.token().is_none());
    for token in [
        "45ghiukldjahdnhzdauz".to_owned(),
        two.bank.token().sign(),
        two.shop.token().without("iss").sign(),
        two.shop.token().claim("iss", [SHOP]).sign(),
    ] {
        let token = ask(&tokens, &token).await.into_token().unwrap();
        assert_eq!(token.iss.as_deref(), Some(BANK));
        assert_eq!(token.tenant.as_deref(), Some(BANK));
    }
}

#[tokio::test]
async fn introspection_cannot_name_tokens_of_another_issuer() {
    let two = Two::new();
    let as_shop = says(|token| token.iss = Some(SHOP.into()));
    let jwt = BoxCloneSyncService::new(two.shop.tokens().map_err(BoxError::from));
    let tokens = ByIssuer::new()
        .issuer(SHOP, jwt)
        .issuer(BANK, as_shop.clone())
        .default_issuer(BANK, as_shop);
    for token in [two.bank.token().sign(), "opaque".to_owned()] {
        let refused = ask(&tokens, &token).await;
        assert_eq!(refused, Introspected::unhandled(Reason::Issuer, None));
    }
}

#[tokio::test]
async fn tenant_that_the_introspection_sets_stays() {
    let both = says(|token| token.tenant = Some("one directory".into()));
    let tokens = ByIssuer::new().default_issuer(BANK, both);
    let token = ask(&tokens, "opaque").await.into_token().unwrap();
    assert_eq!(token.tenant.as_deref(), Some("one directory"));
    let shown = format!("{tokens:?}");
    assert!(shown.contains(BANK) && !shown.contains("alice"), "{shown}");
}

#[test]
#[should_panic(expected = "https://shop.test is given twice")]
fn issuer_is_given_once() {
    let tokens = TestIssuer::new(SHOP).tokens();
    let _ = ByIssuer::new()
        .issuer(SHOP, tokens.clone())
        .issuer(SHOP, tokens);
}

#[tokio::test]
async fn nested_issuer_does_not_count() {
    let tokens = ByIssuer::new().issuer(
        ISSUER,
        JwtTokens::new(ISSUER, KEY.set(), Audience::any_of([AUDIENCE])),
    );
    let mine = KEY.sign(&header(), &with(claims(), &json!({ "x": { "iss": BANK } })));
    assert!(ask(&tokens, &mine).await.token().is_some());
}
