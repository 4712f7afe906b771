//! Any bytes as a client assertion, and as a key set.
//!
//! ```sh
//! cargo fuzz run --sanitizer none assertion fuzz/corpus/assertion fuzz/seeds/assertion
//! ```
//!
//! The first byte selects the meaning of the rest: an unsigned text; a header and claims, one line
//! each, which the client signs, with `@` for a time in the future; or [`alterations`](altered) of an
//! assertion signed by the client.

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
use futures::{
    FutureExt as _,
    future::{BoxFuture, ready},
};
use hyper::Request;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tower::BoxError;
use tower_revocation::{
    Error, ErrorKind, Secret,
    client::{
        Credentials,
        assertion::Assertions,
        registry::{ClientAuthenticator, Registry},
        replay::{Once, ReplayGuard},
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
               "client_secret": "a-secret-of-at-least-thirty-two-bytes" }}]"#
    );
    ClientAuthenticator::new(Registry::from_json(&clients).unwrap())
        .assertions(Assertions::new(ISSUER).replay_guard(Forgetful))
});

/// Remembers nothing: otherwise a `jti` used before would hide an assertion that is wrongly accepted.
#[derive(Debug)]
struct Forgetful;

impl ReplayGuard for Forgetful {
    fn use_up(&self, _: Once, _: SystemTime) -> BoxFuture<'_, Result<bool, BoxError>> {
        ready(Ok(true)).boxed()
    }
}

static GENUINE: LazyLock<String> = LazyLock::new(|| {
    let claims = format!(
        r#"{{"iss":"pk-client","sub":"pk-client","aud":"{ISSUER}","exp":{},"jti":"u1"}}"#,
        now() + 3600
    );
    let genuine = signed(r#"{"alg":"ES256","typ":"JWT"}"#, &claims);
    authenticate(&genuine).expect("the client has signed it");
    genuine
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    if choice & 3 == 2 {
        let altered = altered(&GENUINE, rest);
        let refused = authenticate(&altered).is_err();
        assert!(refused || altered == *GENUINE, "{altered}");
        return;
    }
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let _ = KeySet::from_json(text);
    let _ = Jwk::from_json(text);
    if choice & 1 == 0 {
        assert!(authenticate(text).is_err(), "the text is not signed");
        return;
    }
    let now = now();
    let text = text.replace('@', &(now + 60).to_string());
    let (header, claims) = text.split_once('\n').unwrap_or((&text, ""));
    if authenticate(&signed(header, claims)).is_ok() {
        assert_sound(header, claims, now);
    }
});

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

/// Each alteration has three bytes: two for the position, and the character to write there. The highest
/// bit of the character inserts it, and NUL deletes the old one.
fn altered(genuine: &str, alterations: &[u8]) -> String {
    let mut text = genuine.as_bytes().to_vec();
    for alteration in alterations.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([alteration[0], alteration[1]]));
        let place = place % (text.len() + 1);
        let end = if alteration[2] & 0x80 == 0 {
            text.len().min(place + 1)
        } else {
            place
        };
        let character = Some(alteration[2] & 0x7f).filter(|it| *it != 0);
        text.splice(place..end, character);
    }
    String::from_utf8(text).unwrap()
}

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
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidClient);
            Err(error)
        }
    }
}

/// What must be true of an accepted assertion, according to another JSON parser.
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
