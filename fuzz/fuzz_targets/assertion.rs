//! Any bytes as a client assertion, and as a key set.
//!
//! ```sh
//! cargo fuzz run --sanitizer none assertion fuzz/corpus/assertion fuzz/seeds/assertion
//! ```
//!
//! After a first octet that is odd come header and claims, one line each, which the client signs;
//! `@` is a time ahead. After one that is even comes what nobody has signed.

#![no_main]

use std::{
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::FutureExt as _;
use hyper::Request;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tower_revocation::{
    Error, ErrorKind, Secret,
    client::{
        Credentials,
        assertion::Assertions,
        registry::{ClientAuthenticator, Registry},
    },
    jose::{Jwk, KeySet},
};

const ISSUER: &str = "https://as.example.com";

static KEY: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

static AUTHENTICATOR: LazyLock<ClientAuthenticator<Registry>> = LazyLock::new(|| {
    let (x, y) = KEY.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let clients = format!(
        r#"[{{ "client_id": "pk-client", "token_endpoint_auth_method": "private_key_jwt",
               "jwks": {{ "keys": [{{ "kty": "EC", "crv": "P-256", "x": "{x}", "y": "{y}" }}] }} }},
            {{ "client_id": "sj-client", "token_endpoint_auth_method": "client_secret_jwt",
               "client_secret": "a-secret-of-at-least-thirty-two-octets" }}]"#
    );
    ClientAuthenticator::new(Registry::from_json(&clients).unwrap())
        .assertions(Assertions::new(ISSUER))
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let _ = KeySet::from_json(text);
    let _ = Jwk::from_json(text);
    if choice & 1 == 0 {
        assert!(authenticate(text).is_err(), "nobody has signed it");
        return;
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let text = text.replace('@', &(now + 60).to_string());
    let (header, claims) = text.split_once('\n').unwrap_or((&text, ""));
    if authenticate(&signed(header, claims)).is_ok() {
        assert_sound(header, claims, now);
    }
});

fn signed(header: &str, claims: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = KEY.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn authenticate(assertion: &str) -> Result<(), Error> {
    let credentials = Credentials::Assertion {
        client_id: None,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
        client_assertion: Secret::from(assertion),
    };
    let request = Request::new(credentials);
    let answer = AUTHENTICATOR.authenticate(&request).now_or_never();
    let answer = answer.expect("nothing waits for anything");
    match answer {
        Ok(client) => {
            assert_eq!(client.client_id(), "pk-client");
            Ok(())
        }
        // Unless there is no room for another `jti`.
        Err(error) => {
            assert!(matches!(
                error.kind(),
                ErrorKind::InvalidClient | ErrorKind::Unavailable
            ));
            Err(error)
        }
    }
}

/// What has to be true of one that is accepted, as another reader of JSON has it.
fn assert_sound(header: &str, claims: &str, now: u64) {
    let header: Value = serde_json::from_str(header).unwrap();
    assert_eq!(header["alg"], "ES256");
    assert!(header.get("crit").is_none());
    let claims: Value = serde_json::from_str(claims).unwrap();
    assert!(claims["iss"] == "pk-client" && claims["sub"] == "pk-client");
    assert!(claims["aud"] == ISSUER || claims["aud"][0] == ISSUER);
    assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    let exp = claims["exp"].as_f64().unwrap();
    assert!(exp > (now - 11) as f64 && exp < (now + 3700) as f64);
}
