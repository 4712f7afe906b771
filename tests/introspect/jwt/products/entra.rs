//! Microsoft Entra ID: two versions, and `uti`.

use serde_json::{Value, json};
use tower_revocation::{
    introspect::jwt::{Audience, Dialect},
    log::{Selector, SelectorClass},
};

use super::{Product, classes};
use crate::jwt::fixture::{now, with, without};

const API: &str = "8ebbea06-f01e-4f94-8254-32da2e94c240";
const TENANT: &str = "4b1fa0f3-862b-4951-a3a8-df1c72935c79";

fn product(issuer: &'static str) -> Product {
    let header = json!({ "typ": "JWT" });
    Product::new(Dialect::entra(), issuer, Audience::any_of([API]), &header)
}

fn v2() -> Product {
    product("https://login.microsoftonline.com/4b1fa0f3-862b-4951-a3a8-df1c72935c79/v2.0")
}

fn access() -> Value {
    json!({
        "aud": API, "nbf": now(), "aio": "AWQAm/8XAAAAPG9SheyqcZON",
        "azp": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "azpacr": "0", "name": "Jan de Vries",
        "oid": "bf6c3c10-5aad-4cd8-b54c-f9083925e7e3", "preferred_username": "jan@example.com",
        "rh": "0.ATAA86AfSyuGUUmjqN8ccpNceQbqu44e8JRPglQy2i6UwkAwAGo.",
        "scp": "BackendDefault WeatherUser", "sid": "00225a1c-8ddb-461a-bbee-02f9e1bf7b46",
        "sub": "MiVyAiU0Q9B7caSpyCvvge63H6Ohve2hED15NmFfx1s", "tid": TENANT,
        "uti": "Ats0cwbTrk6Dfs2WbHwNAA", "ver": "2.0",
    })
}

#[tokio::test]
async fn access_token_has_uti_and_azp() {
    let product = v2();
    let token = product.reads(&access()).await.unwrap();
    assert_eq!(token.client_id, "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
    let uti = Selector::token(product.issuer, "Ats0cwbTrk6Dfs2WbHwNAA");
    assert_eq!(token.token, Some(uti));
    assert_eq!(token.scope.as_ref().unwrap().iter().count(), 2);
    assert!(classes(&token).contains(&SelectorClass::Session));
}

#[tokio::test]
async fn version_1_token_has_appid() {
    let product = product("https://sts.windows.net/4b1fa0f3-862b-4951-a3a8-df1c72935c79/");
    let older = json!({
        "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "appidacr": "1", "ver": "1.0",
        "idp": "https://sts.windows.net/4b1fa0f3-862b-4951-a3a8-df1c72935c79/",
    });
    let older = with(without(access(), "azp"), &older);
    let token = product.reads(&older).await.unwrap();
    assert_eq!(token.client_id, "04b07795-8ddb-461a-bbee-02f9e1bf7b46");
    assert!(
        v2().reads(&with(older, &json!({ "azp": "another" })))
            .await
            .is_none()
    );
}

#[tokio::test]
async fn application_token_has_roles_and_no_scope() {
    let machine = with(
        without(access(), "scp"),
        &json!({ "roles": ["Customer.Data.Read"] }),
    );
    let token = v2().reads(&machine).await.unwrap();
    assert_eq!(token.scope, None);
}

#[tokio::test]
async fn id_token_names_no_client_but_its_audience() {
    let id_token = json!({
        "aud": API, "nbf": now(), "aio": "AWQAm/8XAAAAPG9SheyqcZON", "name": "Jan de Vries",
        "oid": "bf6c3c10-5aad-4cd8-b54c-f9083925e7e3", "nonce": "678910", "rh": "0.ATAA",
        "sub": "MiVyAiU0Q9B7caSpyCvvge63H6Ohve2hED15NmFfx1s", "tid": TENANT, "ver": "2.0",
        "uti": "fqiBqXLPj0eQa82S-IYFAA", "preferred_username": "jan@example.com",
    });
    assert!(
        v2().reads(&without(id_token.clone(), "nonce"))
            .await
            .is_none()
    );
    let named = with(id_token, &json!({ "azp": API }));
    assert!(v2().reads(&named).await.is_none());
    assert!(v2().reads(&without(named, "nonce")).await.is_some());
}
