//! WSO2: `aut`.

use serde_json::{Value, json};
use tower_revocation::{
    introspect::jwt::{Audience, Dialect},
    log::SelectorClass,
};

use super::{Product, classes};
use crate::jwt::fixture::{now, with, without};

fn product() -> Product {
    let header = json!({ "x5t": "MDJlNjIxN2E1OGZlOGVmMGQxOTFlMzBm", "typ": "at+jwt" });
    let audience = Audience::any_of(["kp3os6qrkdK1fpFN1tuW4hgRsKwa"]);
    let issuer = "https://is.example.com:9443/oauth2/token";
    Product::new(Dialect::wso2(), issuer, audience, &header)
}

fn access() -> Value {
    json!({
        "sub": "2afba262-dc62-41d6-ad05-30a30c3d6e35", "aut": "APPLICATION_USER",
        "client_id": "kp3os6qrkdK1fpFN1tuW4hgRsKwa", "aud": "kp3os6qrkdK1fpFN1tuW4hgRsKwa",
        "nbf": now(), "azp": "kp3os6qrkdK1fpFN1tuW4hgRsKwa", "scope": "openid profile",
        "org_id": "10084a8d-113f-4211-a0d5-efe36b082211", "org_name": "Super",
        "jti": "3a5a97a0-563f-40c4-b115-596d43a675d8",
    })
}

#[tokio::test]
async fn access_token_has_aut_and_a_client() {
    let token = product().reads(&access()).await.unwrap();
    assert_eq!(token.client_id, "kp3os6qrkdK1fpFN1tuW4hgRsKwa");
    assert!(classes(&token).contains(&SelectorClass::Token));
    // Older versions only have `azp`.
    let older = without(access(), "client_id");
    let jwt = with(product().header, &json!({ "typ": "JWT" }));
    assert!(product().reads_with(&jwt, &older).await.is_some());
    let machine = with(access(), &json!({ "aut": "APPLICATION" }));
    assert!(product().reads(&machine).await.is_some());
}

#[tokio::test]
async fn id_token_for_the_same_audience_has_no_aut() {
    let id_token = json!({
        "isk": "5bd5a0e4", "at_hash": "fPlsvVszI29LU2UhDyJ9vg", "amr": ["BasicAuthenticator"],
        "sub": "2afba262-dc62-41d6-ad05-30a30c3d6e35", "sid": "0d2f",
        "aud": "kp3os6qrkdK1fpFN1tuW4hgRsKwa", "azp": "kp3os6qrkdK1fpFN1tuW4hgRsKwa",
    });
    let product = product();
    for header in [
        product.header.clone(),
        without(product.header.clone(), "typ"),
    ] {
        assert!(product.reads_with(&header, &id_token).await.is_none());
    }
}
