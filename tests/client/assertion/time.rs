//! The dates of assertions (RFC 7523 §3, RFC 7519 §4.1).

use jsonwebtoken::Algorithm;
use serde_json::json;
use tower_revocation::client::{Refusal, assertion::Assertions, registry::ClientAuthenticator};

use crate::fixture::{ISSUER, PK, authenticator, by, clients, fresh, header, now, pk, refused};

use super::accepted;

#[tokio::test]
async fn clocks_may_differ_by_ten_seconds() {
    accepted(&pk(&json!({ "exp": now() - 5 }))).await;
    accepted(&pk(&json!({ "nbf": now() + 5 }))).await;
    accepted(&pk(&json!({ "iat": now() + 5 }))).await;
    refused(&pk(&json!({ "exp": now() - 61 })), Refusal::OutOfTime).await;
    refused(&pk(&json!({ "exp": now() - 12 })), Refusal::OutOfTime).await;
    refused(&pk(&json!({ "nbf": now() + 61 })), Refusal::OutOfTime).await;
    refused(&pk(&json!({ "iat": now() + 61 })), Refusal::OutOfTime).await;
}

#[tokio::test]
async fn lifetime_of_at_most_an_hour_is_accepted() {
    accepted(&pk(&json!({ "exp": now() + 3600 }))).await;
    refused(&pk(&json!({ "exp": now() + 3700 })), Refusal::OutOfTime).await;
    let ten_years = 10 * 365 * 24 * 60 * 60;
    refused(
        &pk(&json!({ "exp": now() + ten_years })),
        Refusal::OutOfTime,
    )
    .await;
}

#[tokio::test]
async fn malformed_date_is_refused() {
    for exp in [
        json!(null),
        json!("1999999999"),
        json!(-1),
        json!(1e300),
        json!([1]),
        json!(true),
    ] {
        refused(&pk(&json!({ "exp": exp })), Refusal::OutOfTime).await;
    }
    refused(&pk(&json!({ "nbf": "soon" })), Refusal::OutOfTime).await;
    accepted(&pk(
        &json!({ "exp": format!("{}.5", now() + 30).parse::<f64>().unwrap() }),
    ))
    .await;
    let header = header().to_string();
    for exp in [
        "1e400",
        "NaN",
        "Infinity",
        "18446744073709551616000000000000",
    ] {
        let claims = format!(
            r#"{{"iss":"pk-client","sub":"pk-client","aud":"{ISSUER}","jti":"{}","exp":{exp}}}"#,
            fresh()
        );
        let response = by(
            &authenticator(),
            &PK.sign_text(Algorithm::ES256, &header, &claims),
        )
        .await;
        assert_eq!(response.status, 401, "{exp}");
    }
}

#[tokio::test]
async fn max_age_refuses_an_old_assertion() {
    let old = json!({ "iat": now() - 86_400 });
    accepted(&pk(&old)).await;
    let assertions = Assertions::new(ISSUER).max_age(std::time::Duration::from_secs(300));
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    assert_eq!(
        by(&authenticator, &pk(&old)).await.refusal(),
        Some(Refusal::OutOfTime)
    );
    let undated = pk(&json!({ "iat": null }));
    assert_eq!(
        by(&authenticator, &undated).await.refusal(),
        Some(Refusal::OutOfTime)
    );
    assert_eq!(by(&authenticator, &pk(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn extreme_settings_are_capped() {
    let forever = std::time::Duration::MAX;
    let assertions = Assertions::new(ISSUER)
        .skew(forever)
        .max_lifetime(forever)
        .max_age(forever);
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    for (changes, status) in [
        (json!({}), 200),
        (json!({ "exp": 253_402_300_799_u64 }), 401),
        (json!({ "iat": 0 }), 401),
    ] {
        let response = by(&authenticator, &pk(&changes)).await;
        assert_eq!(response.status, status, "{changes}");
    }
}
