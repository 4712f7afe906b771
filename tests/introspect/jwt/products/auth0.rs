//! Auth0: two profiles.

use serde_json::{Value, json};
use tower_revocation::{introspect::jwt::Dialect, log::SelectorClass};

use super::{Product, api, classes};
use crate::jwt::fixture::{with, without};

fn product(typ: &str) -> Product {
    let issuer = "https://my-domain.auth0.com/";
    Product::new(Dialect::auth0(), issuer, api(), &json!({ "typ": typ }))
}

fn access() -> Value {
    json!({
        "sub": "auth0|6553da60a54af58e29493993",
        "aud": ["https://api.example.com", "https://my-domain.auth0.com/userinfo"],
        "azp": "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja",
        "scope": "openid profile read:patients", "permissions": ["read:patients"],
    })
}

#[tokio::test]
async fn default_profile_has_azp_and_no_jti() {
    let token = product("JWT").reads(&access()).await.unwrap();
    assert_eq!(token.client_id, "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja");
    assert!(!classes(&token).contains(&SelectorClass::Token));
    assert!(classes(&token).contains(&SelectorClass::SubjectAndClient));
}

#[tokio::test]
async fn rfc_9068_profile_has_client_id_and_jti() {
    let other = json!({ "client_id": "my_client_id", "jti": "73WakrfVbNJBaAmhQtEeDv" });
    let claims = with(without(access(), "azp"), &other);
    let token = product("at+jwt").reads(&claims).await.unwrap();
    assert_eq!(token.client_id, "my_client_id");
    assert!(classes(&token).contains(&SelectorClass::Token));
}

#[tokio::test]
async fn machine_token_has_its_own_subject() {
    let machine = json!({
        "sub": "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja@clients", "gty": "client-credentials",
        "aud": "https://api.example.com",
    });
    assert!(
        product("JWT")
            .reads(&with(access(), &machine))
            .await
            .is_some()
    );
}

#[tokio::test]
async fn id_token_is_for_the_client() {
    let id_token = json!({
        "sub": "auth0|6553da60a54af58e29493993", "aud": "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja",
        "nickname": "alice", "sid": "0aJ5Mlf9S", "nonce": "bm9uY2U",
    });
    assert!(product("JWT").reads(&id_token).await.is_none());
    // Even if its client were an API, it is not an access token.
    let for_api = with(
        id_token,
        &json!({ "aud": "https://api.example.com", "azp": "a" }),
    );
    assert!(product("JWT").reads(&for_api).await.is_none());
    let without_nonce = without(for_api, "nonce");
    assert!(
        product("JWT")
            .reads(&without(without_nonce, "azp"))
            .await
            .is_none()
    );
}
