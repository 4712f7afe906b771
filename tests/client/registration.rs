//! Registrations with keys, certificates and password hashes (RFC 7591 §2).

use serde_json::{Value, json};
use tower_revocation::client::{
    AuthMethod, SecretDigest,
    password::{PasswordHash, Passwords},
    registry::{Client, ClientAuthenticator, Registry},
};

use crate::fixture::{Key, PK, SHARED_SECRET, ask, basic, layer, post, registry, with};

const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$CW3qeeZ4hdlyrPdoLj7KEQ$qEbKDmhgCfC71ZyurQCxMv5YrYpBImGqzPKERHtV3IM";

fn refusal(members: &Value) -> String {
    let client = with(json!({ "client_id": "x" }), members);
    Registry::from_json(&client.to_string())
        .map(drop)
        .unwrap_err()
        .to_string()
}

#[test]
fn registration_that_admits_nobody_is_refused() {
    let keys = PK.jwks(&json!({}));
    for uri in ["https://", "https://a b", "https:///keys"] {
        let refused = refusal(&json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri,
        }));
        assert!(refused.contains("invalid jwks_uri: "), "{uri}: {refused}");
    }
    // An algorithm of the other method.
    let refused = refusal(&json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": keys,
        "token_endpoint_auth_signing_alg": "HS256",
    }));
    assert!(
        refused.contains("needs a public-key algorithm"),
        "{refused}"
    );
    let refused = refusal(&json!({
        "token_endpoint_auth_method": "client_secret_jwt", "client_secret": SHARED_SECRET,
        "token_endpoint_auth_signing_alg": "ES256",
    }));
    assert!(refused.contains("needs an HMAC algorithm"), "{refused}");
}

#[tokio::test]
async fn password_needs_a_configured_verifier() {
    let clients = registry(&json!({ "client_id": "human", "client_secret_hash": HASH }));
    let by = |authenticator: ClientAuthenticator<Registry>, secret: &str| {
        let mut request = post("token=rt1");
        let field = basic("human", secret).parse().unwrap();
        request.headers_mut().insert("authorization", field);
        ask(layer(authenticator), request)
    };
    let verifying = ClientAuthenticator::new(clients.clone()).passwords(Passwords::new());
    assert_eq!(
        by(verifying.clone(), "correct+horse+battery+staple")
            .await
            .status,
        200
    );
    assert_eq!(by(verifying, "wrong").await.status, 401);
    // The result is unknown.
    assert_eq!(
        by(ClientAuthenticator::new(clients), "wrong").await.status,
        503
    );

    let costly = HASH.replace("m=19456", "m=4194304");
    let refused = refusal(&json!({ "client_secret_hash": costly }));
    assert!(
        refused.starts_with("line 1") && !refused.contains("CW3qeeZ4"),
        "{refused}"
    );
    let both = json!({ "client_secret": "s", "client_secret_hash": HASH });
    assert!(refusal(&both).contains("in two ways"));
}

#[tokio::test]
async fn client_with_keys_is_never_public() {
    let keys = tower_revocation::jose::KeySet::from_json(&Key::ec().jwks(&json!({})).to_string());
    let careless = Client::public("x")
        .into_builder()
        .auth_methods([AuthMethod::None, AuthMethod::PrivateKeyJwt])
        .jwks(keys.unwrap())
        .build();
    let hash = PasswordHash::parse(HASH).unwrap();
    let human = Client::builder("y")
        .secret(SecretDigest::from(hash))
        .auth_methods([AuthMethod::None, AuthMethod::ClientSecretBasic])
        .build();
    let authenticator = ClientAuthenticator::new(Registry::from_iter([careless, human]));
    for body in ["token=rt1&client_id=x", "token=rt1&client_id=y"] {
        assert_eq!(
            ask(layer(authenticator.clone()), post(body)).await.status,
            401
        );
    }
}

#[test]
fn debug_output_of_a_client_has_no_secret() {
    let clients = registry(&json!([
        { "client_id": "sj", "client_secret": SHARED_SECRET, "token_endpoint_auth_method": "client_secret_jwt" },
        { "client_id": "human", "client_secret_hash": HASH },
    ]));
    let printed = format!("{clients:?}");
    assert!(
        !printed.contains(SHARED_SECRET) && !printed.contains("CW3qeeZ4"),
        "{printed}"
    );
}
