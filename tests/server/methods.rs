//! Clients with keys. `tests/interop` tests them with other client libraries.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PublicKeyData as _};
use serde_json::{Value, json};

use super::{
    http::{C1, C2, Credentials, FullResponse, Http},
    process::{Server, command, folder},
};

/// An issuer that does not depend on the port.
const ISSUER: &str = "https://as.example";

fn start(data: &Path) -> (Server, Http, PathBuf) {
    let mut command = command();
    command.env("DATA", data).env("ISSUER", ISSUER);
    let server = Server::run(command);
    let http = Http::to(server.url(""));
    (server, http, data.with_extension("keys"))
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn sign(key: &EncodingKey, header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(input.as_bytes(), key, Algorithm::ES256).unwrap();
    format!("{input}.{signature}")
}

/// An assertion of `pk-client`, signed with the key that the server has created for it.
fn assertion(keys: &Path, jti: &str) -> String {
    let pem = fs::read(keys.join("pk-client.pem")).unwrap();
    let key = EncodingKey::from_ec_pem(&pem).unwrap();
    let claims = json!({
        "iss": "pk-client", "sub": "pk-client", "aud": ISSUER, "exp": now() + 600, "jti": jti,
    });
    sign(
        &key,
        &json!({ "alg": "ES256", "kid": "pk-client" }),
        &claims,
    )
}

async fn post(http: &Http, path: &str, form: &[(&str, &str)], assertion: &str) -> FullResponse {
    let mut form = form.to_vec();
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    form.extend([
        ("client_assertion_type", kind),
        ("client_assertion", assertion),
    ]);
    http.post(path, Credentials::None, &form).await
}

const FOR_A_TOKEN: [(&str, &str); 1] = [("grant_type", "client_credentials")];
const FOR_ANY: [(&str, &str); 1] = [("token", "unknown")];

#[test]
#[cfg(unix)]
fn keys_are_created_once_and_only_their_owner_can_read_them() {
    use std::os::unix::fs::PermissionsExt as _;

    let (_folder, data) = folder();
    let (server, _, keys) = start(&data);
    let read = || {
        let mut files: Vec<_> = fs::read_dir(&keys)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{path:?}");
                (path.clone(), fs::read(path).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    let made = read();
    let folder = fs::metadata(&keys).unwrap().permissions();
    assert_eq!(folder.mode() & 0o777, 0o700);
    assert!(made.iter().any(|(path, _)| path.ends_with("ca.pem")));
    server.kill();

    let (_server, ..) = start(&data);
    assert_eq!(read(), made);
}

#[tokio::test]
async fn assertion_works_once_at_all_endpoints_and_after_a_kill() {
    let (_folder, data) = folder();
    let (server, http, keys) = start(&data);
    let (first, second) = (assertion(&keys, "1"), assertion(&keys, "2"));

    let token = post(&http, "/oauth2/token", &FOR_A_TOKEN, &first).await;
    assert_eq!(token.status, 200, "{token:?}");
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let form = [FOR_A_TOKEN, FOR_ANY].concat();
        let again = post(&http, path, &form, &first).await;
        assert!(again.is_error(401, "invalid_client"), "{path}");
    }
    assert_eq!(
        post(&http, "/oauth2/revoke", &FOR_ANY, &second)
            .await
            .status,
        200
    );
    server.wait_for_log("replayed");
    let log = server.kill();
    assert!(log.contains("replayed") && !log.contains(&first), "{log}");

    let (_server, http, _) = start(&data);
    for spent in [&first, &second] {
        let again = post(&http, "/oauth2/revoke", &FOR_ANY, spent).await;
        assert!(again.is_error(401, "invalid_client"));
    }
    let fresh = assertion(&keys, "3");
    assert_eq!(
        post(&http, "/oauth2/revoke", &FOR_ANY, &fresh).await.status,
        200
    );
}

#[tokio::test]
async fn guesses_are_limited_at_all_endpoints_together_and_other_clients_are_served() {
    let (_folder, data) = folder();
    let (_server, http, _) = start(&data);
    let wrong = Credentials::Basic("s6BhdRkqt3", "guess");
    let mut limited = None;
    for n in 0..40 {
        let path = ["/oauth2/token", "/oauth2/revoke"][n % 2];
        let response = http
            .post(path, wrong, &[FOR_A_TOKEN, FOR_ANY].concat())
            .await;
        if response.status == 429 {
            limited.get_or_insert(n);
            let wait: u64 = response.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&wait));
        } else {
            assert_eq!((response.status.as_u16(), limited), (401, None));
        }
    }
    assert_eq!(limited, Some(20));
    // An attacker at this address cannot tell a right guess.
    assert_eq!(http.revoke(C1, "unknown").await.status, 429);
    assert_eq!(http.revoke(C2, "unknown").await.status, 200);
}

#[tokio::test]
async fn attested_instance_gets_a_challenge_and_a_token() {
    let (_folder, data) = folder();
    let (_server, http, keys) = start(&data);
    let attester = fs::read(keys.join("attester.pem")).unwrap();
    let attester = EncodingKey::from_ec_pem(&attester).unwrap();
    let instance = KeyPair::generate().unwrap();
    let (x, y) = instance.der_bytes()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let attestation = sign(
        &attester,
        &json!({ "alg": "ES256", "kid": "attester", "typ": "oauth-client-attestation+jwt" }),
        &json!({
            "iss": "https://attester.example", "sub": "attested-client", "exp": now() + 600,
            "cnf": { "jwk": { "kty": "EC", "crv": "P-256", "x": x, "y": y } },
        }),
    );
    let key = EncodingKey::from_ec_der(&instance.serialize_der());
    let ask = async |jti: &str, challenge: &str| {
        let proof = sign(
            &key,
            &json!({ "alg": "ES256", "typ": "oauth-client-attestation-pop+jwt" }),
            &json!({ "aud": ISSUER, "iat": now(), "jti": jti, "challenge": challenge }),
        );
        let request = Request::post(http.url("/oauth2/token"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("oauth-client-attestation", &attestation)
            .header("oauth-client-attestation-pop", proof)
            .body(Full::<Bytes>::from(
                "grant_type=client_credentials&client_id=attested-client",
            ));
        http.try_send(request.unwrap()).await.unwrap()
    };
    let refused = ask("1", "made-up").await;
    assert!(
        refused.is_error(400, "use_attestation_challenge"),
        "{refused:?}"
    );
    let given = refused
        .header("oauth-client-attestation-challenge")
        .to_owned();
    assert_eq!(ask("2", &given).await.status, 200);

    let fetched = http.post("/oauth2/challenge", Credentials::None, &[]).await;
    let fetched = fetched.text("attestation_challenge");
    assert_eq!(ask("3", &fetched).await.status, 200);
    assert!(
        ask("3", &fetched)
            .await
            .is_error(401, "invalid_client_attestation")
    );
}
