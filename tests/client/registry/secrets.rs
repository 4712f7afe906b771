//! Rotation, expiry and digests of secrets (RFC 7591 §3.2.1).

use hyper::{Request, StatusCode};
use tower_revocation::{
    Secret,
    client::{
        AuthMethod, Credentials, Refusal, SecretDigest,
        registry::{Client, ClientAuthenticator, Registry},
    },
};

use super::{EXAMPLE, by_basic, digest, encoded, hours, only, raw, revoke};

#[tokio::test]
async fn empty_secret_is_refused_even_if_its_digest_is_registered() {
    let methods = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
    let client = Client::builder("s6BhdRkqt3")
        .secret(digest(""))
        .auth_methods(methods)
        .build();
    let clients = only(client);
    assert_eq!(by_basic(&clients, &raw("s6BhdRkqt3", "")).await, 401);

    let authenticator = ClientAuthenticator::new(clients);
    let credentials = Credentials::Post {
        client_id: "s6BhdRkqt3".to_owned(),
        client_secret: Secret::new(""),
    };
    let refused = authenticator.authenticate(&Request::new(credentials)).await;
    assert_eq!(refused.unwrap_err().refusal(), Some(Refusal::WrongSecret));
}

#[tokio::test]
async fn previous_secret_works_until_it_expires() {
    let rotated = |end| {
        only(
            Client::builder("c2")
                .secret(digest("new"))
                .previous_secret(digest("old"), end)
                .build(),
        )
    };
    let window = rotated(hours(1));
    assert_eq!(by_basic(&window, &raw("c2", "new")).await, 200);
    assert_eq!(by_basic(&window, &raw("c2", "old")).await, 200);
    assert_eq!(by_basic(&window, &raw("c2", "older")).await, 401);
    let after = rotated(hours(-1));
    assert_eq!(by_basic(&after, &raw("c2", "new")).await, 200);
    assert_eq!(by_basic(&after, &raw("c2", "old")).await, 401);
}

#[tokio::test]
async fn builder_accepts_its_setters_in_any_order() {
    let builder = || Client::builder("c2");
    for client in [
        builder().secret(digest("s")).secret_expires_at(hours(-1)),
        builder().secret_expires_at(hours(-1)).secret(digest("s")),
        Client::confidential("c2", digest("s"))
            .into_builder()
            .secret_expires_at(hours(-1)),
        // A change keeps the expiry.
        builder()
            .secret(digest("s"))
            .secret_expires_at(hours(-1))
            .build()
            .into_builder()
            .client_name("changed"),
        builder()
            .secret(digest("old"))
            .secret_expires_at(hours(-1))
            .build()
            .into_builder()
            .secret(digest("s")),
    ] {
        let clients = only(client.build());
        assert_eq!(by_basic(&clients, &raw("c2", "s")).await, 401);
    }
    let renewed = builder()
        .secret_expires_at(hours(-1))
        .secret_expires_at(hours(1))
        .secret(digest("s"));
    assert_eq!(by_basic(&only(renewed.build()), &raw("c2", "s")).await, 200);
}

#[tokio::test]
async fn expiry_is_in_seconds_and_zero_means_never() {
    let document = r#"{ "client_id": "c2", "client_secrets": [
        { "client_secret": "new", "client_secret_expires_at": 0 },
        { "client_secret": "old", "client_secret_expires_at": AT }
    ] }"#;
    for (at, old) in [("1", 401), ("32503680000", 200), ("0", 200)] {
        let clients = Registry::from_json(&document.replace("AT", at)).unwrap();
        assert_eq!(by_basic(&clients, &raw("c2", "new")).await, 200);
        assert_eq!(by_basic(&clients, &raw("c2", "old")).await, old, "{at}");
    }
}

#[tokio::test]
async fn document_may_contain_digests_instead_of_secrets() {
    for sha256 in [
        "53f5da0aaa93d64cd5772c554cbf940f0539e689dddbeb8f923eec3f72c02ea9",
        "53F5DA0AAA93D64CD5772C554CBF940F0539E689DDDBEB8F923EEC3F72C02EA9",
        "U_XaCqqT1kzVdyxVTL-UDwU55ond2-uPkj7sP3LALqk",
        "U_XaCqqT1kzVdyxVTL-UDwU55ond2-uPkj7sP3LALqk=",
    ] {
        let document = format!(r#"{{"client_id":"s6BhdRkqt3","client_secret_sha256":"{sha256}"}}"#);
        let clients = Registry::from_json(&document).unwrap();
        assert_eq!(by_basic(&clients, EXAMPLE).await, 200, "{sha256}");
        assert_eq!(by_basic(&clients, &raw("s6BhdRkqt3", sha256)).await, 401);
    }
}

/// RFC 4231 §4.3: HMAC-SHA-256 of "what do ya want for nothing?" under the key "Jefe".
#[tokio::test]
async fn secret_registered_as_hmac_needs_the_right_key() {
    let clients = Registry::from_json(
        r#"{ "client_id": "c2", "client_secret_hmac_sha256":
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" }"#,
    )
    .unwrap();
    let right = encoded("c2", "what do ya want for nothing?");
    let wrong = encoded("c2", "what do ya want?");

    let keyed = ClientAuthenticator::new(clients.clone()).hmac_key("Jefe");
    let status = async |authenticator, authorization| {
        let response = revoke(authenticator, Some(authorization), "token=rt1").await;
        response.status.as_u16()
    };
    assert_eq!(status(&keyed, &right).await, 200);
    assert_eq!(status(&keyed, &wrong).await, 401);
    let other_key = ClientAuthenticator::new(clients.clone()).hmac_key("Boss");
    assert_eq!(status(&other_key, &right).await, 401);
    // The result is unknown, and the operator must know.
    let without = ClientAuthenticator::new(clients);
    assert_eq!(status(&without, &right).await, 503);
}

#[tokio::test]
async fn sha256_digest_does_not_count_as_hmac() {
    let clients = Registry::from_json(
        r#"{ "client_id": "s6BhdRkqt3", "client_secret_hmac_sha256":
             "53f5da0aaa93d64cd5772c554cbf940f0539e689dddbeb8f923eec3f72c02ea9" }"#,
    )
    .unwrap();
    assert_eq!(by_basic(&clients, EXAMPLE).await, 503);
    let keyed = ClientAuthenticator::new(clients).hmac_key("Jefe");
    let response = revoke(&keyed, Some(EXAMPLE), "token=rt1").await;
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn computed_hmac_digest_is_accepted() {
    let digest = SecretDigest::hmac_sha256(b"Jefe", &Secret::new("gX1fBat3bV"));
    let clients = only(Client::confidential("s6BhdRkqt3", digest));
    let authenticator = ClientAuthenticator::new(clients).hmac_key(b"Jefe");
    let response = revoke(&authenticator, Some(EXAMPLE), "token=rt1").await;
    assert_eq!(response.status, StatusCode::OK);
}

#[test]
#[should_panic(expected = "the HMAC key of the secrets is empty")]
fn empty_hmac_key_panics() {
    let _ = ClientAuthenticator::new(Registry::default()).hmac_key("");
}

#[test]
fn debug_shows_neither_secret_nor_digest_nor_key() {
    let clients =
        Registry::from_json(r#"{"client_id":"s6BhdRkqt3","client_secret":"gX1fBat3bV"}"#).unwrap();
    let authenticator = ClientAuthenticator::new(clients).hmac_key("Jefe");
    let shown = format!("{authenticator:?}");
    assert!(shown.contains("s6BhdRkqt3"));
    assert!(shown.contains("SecretDigest(..)"));
    assert!(shown.contains("Key(..)"));
    for hidden in ["gX1fBat3bV", "Jefe", "53f5da", "53F5DA", "83, 245", "0x53"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
