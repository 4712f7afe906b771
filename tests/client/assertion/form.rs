//! Malformed assertions, and assertions beside other credentials.

use jsonwebtoken::Algorithm;
use serde_json::json;
use tower_revocation::client::Refusal;

use crate::fixture::{
    ISSUER, PK, ask, authenticator, basic, by, form, fresh, header, layer, now, pk, post, refused,
};

use super::accepted;

#[tokio::test]
async fn malformed_jws_is_refused() {
    let genuine = pk(&json!({}));
    let parts: Vec<_> = genuine.split('.').collect();
    let join = |parts: &[&str]| parts.join(".");
    for garbage in [
        "abc".to_owned(),
        "a.b".to_owned(),
        "a.b.c.d.e".to_owned(),
        "..".to_owned(),
        format!("{genuine}."),
        format!(" {genuine}"),
        format!("{genuine}\r\n"),
        format!("{genuine}="),
        join(&[parts[0], parts[1], ""]),
        join(&[parts[0], parts[1]]),
        genuine.replace('.', ".."),
        json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] }).to_string(),
    ] {
        refused(&garbage, Refusal::MalformedAssertion).await;
    }
}

#[tokio::test]
async fn empty_assertion_counts_as_absent() {
    let response = ask(layer(authenticator()), post(form(""))).await;
    assert_eq!(
        (response.status.as_u16(), response.refusal()),
        (401, Some(Refusal::NoCredentials))
    );
}

#[tokio::test]
async fn two_assertions_are_refused() {
    let body = format!(
        "{}&client_assertion={}",
        form(&pk(&json!({}))),
        pk(&json!({}))
    );
    assert_eq!(ask(layer(authenticator()), post(body)).await.status, 400);
}

#[tokio::test]
async fn assertion_beside_another_method_is_refused_and_not_used_up() {
    let authenticator = authenticator();
    let assertion = pk(&json!({}));
    let mut request = post(form(&assertion));
    let field = basic("c1", "gX1fBat3bV").parse().unwrap();
    request.headers_mut().insert("authorization", field);
    assert_eq!(ask(layer(authenticator.clone()), request).await.status, 400);
    assert_eq!(by(&authenticator, &assertion).await.status, 200);
}

#[tokio::test]
async fn oversize_assertion_is_refused() {
    let long = pk(&json!({ "pad": "p".repeat(20 * 1024) }));
    refused(&long, Refusal::MalformedAssertion).await;
    let fits = pk(&json!({ "pad": "p".repeat(10 * 1024) }));
    accepted(&fits).await;
}

#[tokio::test]
async fn duplicate_member_is_refused() {
    let id = r#""iss":"pk-client","sub":"pk-client""#;
    let rest = format!(
        r#""aud":"{ISSUER}","exp":{},"jti":"{}""#,
        now() + 60,
        fresh()
    );
    let es256 = header().to_string();
    for (header, claims) in [
        (&*es256, format!(r#"{{{id},{rest},"sub":"pk-client"}}"#)),
        (&*es256, format!(r#"{{{id},{rest},"sub":"c1"}}"#)),
        (&*es256, format!(r#"{{{id},{rest},"x":{{"a":1,"a":2}}}}"#)),
        (
            r#"{"alg":"ES256","alg":"ES256"}"#,
            format!("{{{id},{rest}}}"),
        ),
    ] {
        let assertion = PK.sign_text(Algorithm::ES256, header, &claims);
        refused(&assertion, Refusal::MalformedAssertion).await;
    }
    accepted(&PK.sign_text(Algorithm::ES256, &es256, &format!("{{{id},{rest}}}"))).await;
}

#[tokio::test]
async fn deep_nesting_is_refused_without_a_stack_overflow() {
    let deep = "[".repeat(5000) + &"]".repeat(5000);
    let claims = format!(r#"{{"iss":"pk-client","x":{deep}}}"#);
    let assertion = PK.sign_text(Algorithm::ES256, &header().to_string(), &claims);
    refused(&assertion, Refusal::MalformedAssertion).await;
}
