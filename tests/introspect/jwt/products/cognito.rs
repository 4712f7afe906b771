//! Amazon Cognito: `token_use` and `origin_jti`.

use serde_json::{Value, json};
use tower_revocation::{
    introspect::jwt::{Audience, Dialect},
    log::{Selector, SelectorClass},
};

use super::Product;
use crate::jwt::fixture::{ask, encode, now, with, without};

fn product() -> Product {
    let issuer = "https://cognito-idp.us-west-2.amazonaws.com/us-west-2_example";
    Product::new(
        Dialect::cognito(),
        issuer,
        Audience::unchecked(),
        &json!({}),
    )
}

fn access() -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["testgroup"],
        "version": 2, "client_id": "xxxxxxxxxxxxexample",
        "origin_jti": "aaaaaaaa-1111-cccc-dddd-eeeeeeeeeeee",
        "event_id": "64f513be-32db-42b0-b78e-b02127b4f463", "token_use": "access",
        "scope": "phone openid profile aws.cognito.signin.user.admin",
        "auth_time": now() - 10, "jti": "aaaaaaaa-2222-cccc-dddd-eeeeeeeeeeee",
        "username": "my-test-user",
    })
}

#[tokio::test]
async fn access_token_has_the_grant_of_its_origin() {
    let token = product().reads(&access()).await.unwrap();
    let origin = "aaaaaaaa-1111-cccc-dddd-eeeeeeeeeeee";
    let mut grants = token.selectors_of(SelectorClass::Grant);
    assert_eq!(grants.next(), Some(Selector::grant(origin)));
    assert_eq!(token.client_id, "xxxxxxxxxxxxexample");
    assert!(token.aud.is_empty() && token.token.is_some());
}

#[tokio::test]
async fn machine_token_has_no_origin() {
    let machine = without(without(access(), "origin_jti"), "username");
    let token = product().reads(&machine).await.unwrap();
    assert_eq!(token.grant, None);
}

#[tokio::test]
async fn id_token_has_another_token_use() {
    let id_token = json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "aud": "xxxxxxxxxxxxexample",
        "cognito:username": "my-test-user", "nonce": "abcdefg", "token_use": "id",
        "origin_jti": "aaaaaaaa-1111-cccc-dddd-eeeeeeeeeeee",
    });
    assert!(product().reads(&id_token).await.is_none());
    let with_client = with(id_token, &json!({ "client_id": "xxxxxxxxxxxxexample" }));
    assert!(product().reads(&with_client).await.is_none());
}

#[tokio::test]
async fn refresh_token_is_encrypted() {
    let head = encode(r#"{"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"}"#);
    let jwe = format!("{head}.AAAA.AAAA.AAAA.AAAA");
    assert!(ask(&product().tokens, &jwe).await.is_none());
}
