//! What is registered about keys (RFC 7591 §2): read strictly, and refused with a reason.

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
fn keys_are_public_and_in_one_place() {
    let keys = PK.jwks(&json!({}));
    let by_key = |members: &Value| {
        refusal(&with(
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            members,
        ))
    };
    assert!(by_key(&json!({})).contains("needs jwks or jwks_uri"));
    let both = json!({ "jwks": keys, "jwks_uri": "https://client.example/keys" });
    assert!(by_key(&both).contains("both there"));
    assert!(by_key(&json!({ "jwks_uri": "http://client.example/keys" })).contains("not https"));
    let private = by_key(&json!({ "jwks": PK.jwks(&json!({ "d": "c2VjcmV0LWtleQ" })) }));
    assert!(
        private.contains("not public") && !private.contains("c2VjcmV0LWtleQ"),
        "{private}"
    );
    for jwks in [
        json!({}),
        json!([]),
        json!("keys"),
        json!({ "keys": [] }),
        json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0LWtleQ" }] }),
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] }),
    ] {
        let refused = by_key(&json!({ "jwks": jwks }));
        assert!(
            refused.starts_with("line 1") && !refused.contains("c2VjcmV0"),
            "{refused}"
        );
    }
}

#[test]
fn algorithms_are_known_and_signed() {
    let keys = PK.jwks(&json!({}));
    for name in ["none", "None", "", "ES256K", "RS1", "es256"] {
        let refused = refusal(&json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": name, "jwks": keys,
        }));
        assert!(
            refused.contains("an algorithm to sign with"),
            "{name}: {refused}"
        );
    }
    let refused = refusal(&json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": keys,
        "token_endpoint_auth_signing_alg": "ES256", "token_endpoint_auth_signing_algs": ["RS256"],
    }));
    assert!(refused.contains("not among"), "{refused}");
}

#[test]
fn a_shared_secret_is_there_itself_and_long_enough() {
    let method = json!({ "token_endpoint_auth_method": "client_secret_jwt" });
    let by_secret = |members: &Value| refusal(&with(method.clone(), members));
    assert!(by_secret(&json!({})).contains("needs a secret"));
    let digest = json!({ "client_secret_sha256": "0f".repeat(32) });
    assert!(by_secret(&digest).contains("needs the secret itself"));
    assert!(by_secret(&json!({ "client_secret_hash": HASH })).contains("needs the secret itself"));
    assert!(by_secret(&json!({ "client_secret": "sixteen-octets-x" })).contains("too short"));
    // RFC 7518 §3.2: as long as the hash.
    let of = |length: usize, alg: &str| {
        let members = json!({
            "client_secret": "s".repeat(length), "token_endpoint_auth_signing_alg": alg,
        });
        let client = with(with(json!({ "client_id": "x" }), &method), &members);
        Registry::from_json(&client.to_string()).is_ok()
    };
    assert!(of(32, "HS256") && !of(31, "HS256"));
    assert!(of(48, "HS384") && !of(47, "HS384"));
    assert!(of(64, "HS512") && !of(63, "HS512"));
}

#[tokio::test]
async fn a_password_is_verified_where_there_is_a_verifier() {
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
    // It could not be found out.
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
async fn a_client_in_code_that_has_keys_is_not_public() {
    let keys = tower_revocation::jose::KeySet::from_json(&Key::ec().jwks(&json!({})).to_string());
    let careless = Client::public("x")
        .with_auth_methods([AuthMethod::None, AuthMethod::PrivateKeyJwt])
        .with_jwks(keys.unwrap());
    let hash = PasswordHash::parse(HASH).unwrap();
    let human = Client::confidential("y", SecretDigest::from(hash))
        .with_auth_methods([AuthMethod::None, AuthMethod::ClientSecretBasic]);
    let authenticator = ClientAuthenticator::new(Registry::from_iter([careless, human]));
    for body in ["token=rt1&client_id=x", "token=rt1&client_id=y"] {
        assert_eq!(
            ask(layer(authenticator.clone()), post(body)).await.status,
            401
        );
    }
}

#[test]
fn what_a_client_keeps_is_not_printed() {
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
