//! Okta: `cid` and `scp`.

use serde_json::{Value, json};
use tower_revocation::introspect::jwt::{Audience, Dialect};

use super::Product;
use crate::jwt::fixture::{now, with, without};

fn product(dialect: Dialect) -> Product {
    let issuer = "https://dev-1.okta.com/oauth2/default";
    Product::new(
        dialect,
        issuer,
        Audience::any_of(["api://default"]),
        &json!({}),
    )
}

fn access() -> Value {
    json!({
        "ver": 1, "jti": "AT.MNAoEQ_jbKqoinrQo1D0XKjMX28U5d7ZszBceot7-Ts",
        "aud": "api://default", "cid": "0oa1client", "uid": "00u1user",
        "scp": ["openid", "profile"], "auth_time": now() - 10, "sub": "alice@example.com",
    })
}

#[tokio::test]
async fn access_token_has_cid_and_scp() {
    let token = product(Dialect::okta()).reads(&access()).await.unwrap();
    assert_eq!(token.client_id, "0oa1client");
    assert_eq!(token.sub.as_deref(), Some("alice@example.com"));
    assert_eq!(token.scope.as_ref().unwrap().as_str(), "openid profile");
    let by_uid = product(Dialect::okta().subject("uid"));
    let token = by_uid.reads(&access()).await.unwrap();
    assert_eq!(token.sub.as_deref(), Some("00u1user"));
}

#[tokio::test]
async fn array_of_other_values_is_not_a_scope() {
    for scp in [
        json!([1]),
        json!([""]),
        json!(["a b"]),
        json!([["a"]]),
        json!(1),
    ] {
        let odd = with(access(), &json!({ "scp": scp }));
        assert!(
            product(Dialect::okta()).reads(&odd).await.is_none(),
            "{scp}"
        );
    }
}

#[tokio::test]
async fn id_token_has_no_cid() {
    let id_token = json!({
        "sub": "00u1user", "ver": 1, "aud": "api://default", "amr": ["pwd"], "idp": "00o1",
        "jti": "ID.radCQMOQUmyvcTBmmIL0J6BaS60apUEiC7-vI7pOmkw",
        "at_hash": "fPlsvVszI29LU2UhDyJ9vg",
    });
    let product = product(Dialect::okta());
    assert!(
        product
            .reads(&without(id_token.clone(), "at_hash"))
            .await
            .is_none()
    );
    let named = with(id_token, &json!({ "cid": "0oa1client" }));
    assert!(product.reads(&named).await.is_none());
    let internal = with(
        product.header.clone(),
        &json!({ "typ": "application/okta-internal-at+jwt" }),
    );
    assert!(product.reads_with(&internal, &access()).await.is_none());
}
