//! Keycloak: the claim `typ` distinguishes its tokens.

use serde_json::{Value, json};
use tower_revocation::{
    introspect::{TokenType, jwt::Dialect},
    log::{Selector, SelectorClass},
};

use super::{Product, api};
use crate::jwt::fixture::{encode, now, with, without};

fn product() -> Product {
    let issuer = "https://sso.example.com/realms/main";
    Product::new(Dialect::keycloak(), issuer, api(), &json!({ "typ": "JWT" }))
}

fn access() -> Value {
    json!({
        "auth_time": now() - 10, "jti": "onrtac:0b5cbf6c-1f43-4a1c-9c55-7f2bd1a2f14c",
        "aud": ["https://api.example.com", "account"],
        "sub": "ce53664b-9eb5-47fd-b359-f81d4ffd86bc", "typ": "Bearer", "azp": "wireapp",
        "sid": "63644a37-ecf1-4ebd-b626-13ca8d5da3cf", "acr": "1",
        "allowed-origins": ["https://app.example.com"],
        "realm_access": { "roles": ["offline_access", "uma_authorization"] },
        "resource_access": { "account": { "roles": ["view-profile"] } },
        "scope": "openid profile email", "email_verified": true,
    })
}

#[tokio::test]
async fn access_token_has_azp_and_sid() {
    let token = product().reads(&access()).await.unwrap();
    assert_eq!(token.client_id, "wireapp");
    let sid = "63644a37-ecf1-4ebd-b626-13ca8d5da3cf";
    let mut sessions = token.selectors_of(SelectorClass::Session);
    assert_eq!(sessions.next(), Some(Selector::session(sid)));
    assert!(token.token.is_some() && token.grant.is_none());
    let at = with(product().header, &json!({ "typ": "at+jwt" }));
    assert!(product().reads_with(&at, &access()).await.is_some());
}

#[tokio::test]
async fn dpop_bound_token_is_recognised() {
    let bound = json!({ "typ": "DPoP", "cnf": { "jkt": encode([1; 32]) } });
    let token = product().reads(&with(access(), &bound)).await.unwrap();
    assert_eq!(token.token_type, Some(TokenType::Dpop));
}

#[tokio::test]
async fn only_the_access_token_of_a_session_is_accepted() {
    for typ in ["ID", "Refresh", "Offline", "Logout", "bearer"] {
        let other = with(access(), &json!({ "typ": typ }));
        assert!(product().reads(&other).await.is_none(), "{typ}");
    }
    assert!(product().reads(&without(access(), "typ")).await.is_none());
}
