//! `private_key_jwt` and `client_secret_jwt`: what is accepted, and why an assertion is refused.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tower_revocation::client::{
    AuthMethod, Refusal,
    assertion::{Assertions, AudiencePolicy},
    registry::ClientAuthenticator,
    replay::MemoryGuard,
};

use crate::fixture::{
    ISSUER, Key, PK, PKR, SHARED_SECRET, ask, authenticator, basic, by, claims, clients, form,
    fresh, header, layer, now, pk, post, refused, registry, sign_hmac, with,
};

async fn accepted(assertion: &str) {
    let response = by(&authenticator(), assertion).await;
    assert_eq!(response.status, 200, "{response:?}");
}

#[tokio::test]
async fn valid_signature_authenticates_its_client() {
    accepted(&pk(&json!({}))).await;
    let r1 = json!({ "alg": "RS256", "kid": "r1" });
    accepted(&PKR.sign(Algorithm::RS256, &r1, &claims("rsa-client"))).await;
    let hs = json!({ "alg": "HS256" });
    let secret = SHARED_SECRET.as_bytes();
    accepted(&sign_hmac(
        Algorithm::HS256,
        secret,
        &hs,
        &claims("sj-client"),
    ))
    .await;
}

#[tokio::test]
async fn client_id_is_optional_and_must_match() {
    let authenticator = authenticator();
    for (client_id, status) in [("pk-client", 200), ("c1", 401), ("nobody", 401)] {
        let body = format!("{}&client_id={client_id}", form(&pk(&json!({}))));
        let response = ask(layer(authenticator.clone()), post(body)).await;
        assert_eq!(response.status, status, "{client_id}");
    }
}

#[tokio::test]
async fn unknown_assertion_type_is_refused() {
    let body = form(&pk(&json!({}))).replace("jwt-bearer", "saml2-bearer");
    let response = ask(layer(authenticator()), post(body)).await;
    assert_eq!(response.refusal(), Some(Refusal::MalformedAssertion));
}

// Type (RFC 8725 §3.11)

#[tokio::test]
async fn token_for_another_purpose_is_refused() {
    let typed = |typ: Value| {
        PK.sign(
            Algorithm::ES256,
            &with(header(), &json!({ "typ": typ })),
            &claims("pk-client"),
        )
    };
    for typ in ["JWT", "jwt", "application/client-authentication+jwt"] {
        accepted(&typed(json!(typ))).await;
    }
    accepted(&typed(Value::Null)).await;
    for typ in [
        "at+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "logout+jwt",
        "oauth-client-attestation-pop+jwt",
        "",
    ] {
        refused(&typed(json!(typ)), Refusal::MalformedAssertion).await;
    }
}

// Audience (RFC 7523 §3)

#[tokio::test]
async fn audience_must_be_exactly_the_issuer() {
    accepted(&pk(&json!({ "aud": [ISSUER] }))).await;
    for aud in [
        json!("https://as.example.com/token"),
        json!("https://as.example.com/"),
        json!("HTTPS://AS.EXAMPLE.COM"),
        json!("https://as.example.com:443"),
        json!("https://other.example.com"),
        json!([ISSUER, "https://other.example.com"]),
        json!([]),
        json!({}),
        Value::Null,
    ] {
        refused(&pk(&json!({ "aud": aud })), Refusal::WrongAudience).await;
    }
}

#[tokio::test]
async fn legacy_audiences_are_accepted_if_configured() {
    let endpoints = [
        "https://as.example.com/token",
        "https://as.example.com/revoke",
    ];
    let assertions = Assertions::new(ISSUER).audience(AudiencePolicy::legacy(ISSUER, endpoints));
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    for (aud, status) in [
        (json!("https://as.example.com/token"), 200),
        (json!("https://as.example.com/revoke"), 200),
        (json!(ISSUER), 200),
        (json!([ISSUER, "https://as.example.com/token"]), 200),
        (json!("https://as.example.com/other"), 401),
    ] {
        let response = by(&authenticator, &pk(&json!({ "aud": aud }))).await;
        assert_eq!(response.status, status, "{aud}");
    }
}

#[tokio::test]
async fn expected_audience_is_in_the_log_and_not_in_the_response() {
    let response = by(
        &authenticator(),
        &pk(&json!({ "aud": "https://elsewhere.example" })),
    )
    .await;
    let error = response.error.unwrap();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(ISSUER), "{cause}");
    assert!(!String::from_utf8_lossy(&response.body).contains("example.com"));
}

#[tokio::test]
async fn assertion_for_another_tenant_is_refused() {
    let assertions = Assertions::new("https://b.example.com");
    let other = ClientAuthenticator::new(clients()).assertions(assertions);
    let response = by(&other, &pk(&json!({}))).await;
    assert_eq!(response.refusal(), Some(Refusal::WrongAudience));
}

// Time (RFC 7523 §3, RFC 7519 §4.1)

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

// Single use (OpenID Connect Core §9)

#[tokio::test]
async fn jti_is_required() {
    for jti in [
        json!(null),
        json!(""),
        json!(123),
        json!("j".repeat(10 * 1024)),
    ] {
        refused(&pk(&json!({ "jti": jti })), Refusal::NoIdentifier).await;
    }
}

#[tokio::test]
async fn assertion_works_once() {
    let authenticator = authenticator();
    let assertion = pk(&json!({}));
    assert_eq!(by(&authenticator, &assertion).await.status, 200);
    assert_eq!(
        by(&authenticator, &assertion).await.refusal(),
        Some(Refusal::Replayed)
    );
}

#[tokio::test]
async fn exactly_one_of_twenty_concurrent_uses_wins() {
    let authenticator = authenticator();
    let assertion = pk(&json!({}));
    let attempts = (0..20).map(|_| {
        let (authenticator, assertion) = (authenticator.clone(), assertion.clone());
        tokio::spawn(async move { by(&authenticator, &assertion).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        statuses.push(attempt.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 401));
}

#[tokio::test]
async fn client_beyond_its_quota_is_503_and_others_are_not() {
    let guard = MemoryGuard::new(100).quota(2);
    let assertions = Assertions::new(ISSUER).replay_guard(guard);
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    for status in [200, 200, 503] {
        let response = by(&authenticator, &pk(&json!({}))).await;
        assert_eq!(response.status, status, "{response:?}");
        assert_eq!(response.headers.contains_key("retry-after"), status == 503);
    }
    let rsa = json!({ "alg": "RS256", "kid": "r1" });
    let rsa = PKR.sign(Algorithm::RS256, &rsa, &claims("rsa-client"));
    assert_eq!(by(&authenticator, &rsa).await.status, 200);
}

#[tokio::test]
async fn two_clients_may_use_the_same_jti() {
    let authenticator = authenticator();
    let jti = json!({ "jti": fresh() });
    assert_eq!(by(&authenticator, &pk(&jti)).await.status, 200);
    let r1 = json!({ "alg": "RS256", "kid": "r1" });
    let other = PKR.sign(Algorithm::RS256, &r1, &with(claims("rsa-client"), &jti));
    assert_eq!(by(&authenticator, &other).await.status, 200);
}

#[tokio::test]
async fn forged_assertion_does_not_use_up_the_jti() {
    let authenticator = authenticator();
    let claims = claims("pk-client");
    let forged = Key::ec().sign(Algorithm::ES256, &header(), &claims);
    assert_eq!(
        by(&authenticator, &forged).await.refusal(),
        Some(Refusal::BadSignature)
    );
    let genuine = PK.sign(Algorithm::ES256, &header(), &claims);
    assert_eq!(by(&authenticator, &genuine).await.status, 200);
}

#[tokio::test]
async fn request_that_fails_later_has_used_up_the_jti() {
    let authenticator = authenticator();
    let assertion = pk(&json!({}));
    let without_token = form(&assertion).replace("token=rt1&", "");
    let response = ask(layer(authenticator.clone()), post(without_token)).await;
    assert_eq!(response.status, 400);
    assert_eq!(
        by(&authenticator, &assertion).await.refusal(),
        Some(Refusal::Replayed)
    );
}

// Client

#[tokio::test]
async fn issuer_and_subject_must_be_the_same_client() {
    for changes in [
        json!({ "sub": "c1" }),
        json!({ "iss": "c1" }),
        json!({ "iss": null }),
        json!({ "sub": null }),
        json!({ "iss": 1, "sub": 1 }),
        json!({ "iss": "", "sub": "" }),
    ] {
        refused(&pk(&changes), Refusal::WrongSubject).await;
    }
}

#[tokio::test]
async fn client_cannot_sign_for_another_client() {
    let for_other = PK.sign(Algorithm::ES256, &header(), &claims("rsa-client"));
    refused(&for_other, Refusal::NoSuchKey).await;
    let for_secret = PK.sign(Algorithm::ES256, &header(), &claims("c1"));
    refused(&for_secret, Refusal::MethodNotRegistered).await;
    let for_public = PK.sign(Algorithm::ES256, &header(), &claims("spa-1"));
    refused(&for_public, Refusal::MethodNotRegistered).await;
}

// Algorithms and keys (RFC 8725 §3.1)

#[tokio::test]
async fn registered_algorithm_is_binding() {
    // The key of the client, with another algorithm that the key admits.
    let pinned = ClientAuthenticator::new(registry(&json!({
        "client_id": "rsa-client",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "PS256",
        "jwks": PKR.jwks(&json!({})),
    })))
    .assertions(Assertions::new(ISSUER));
    for (algorithm, name, status) in [
        (Algorithm::PS256, "PS256", 200),
        (Algorithm::RS256, "RS256", 401),
        (Algorithm::RS512, "RS512", 401),
    ] {
        let assertion = PKR.sign(algorithm, &json!({ "alg": name }), &claims("rsa-client"));
        assert_eq!(by(&pinned, &assertion).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn rsa_key_without_a_registered_algorithm_verifies_all_rsa_algorithms() {
    // OpenID Connect Registration §2: without an algorithm, every supported one is accepted.
    let client = |more: &Value| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "rsa-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": PKR.jwks(more),
        })))
        .assertions(Assertions::new(ISSUER))
    };
    let (plain, ps384) = (client(&json!({})), client(&json!({ "alg": "PS384" })));
    for (algorithm, name) in [
        (Algorithm::RS256, "RS256"),
        (Algorithm::RS384, "RS384"),
        (Algorithm::RS512, "RS512"),
        (Algorithm::PS256, "PS256"),
        (Algorithm::PS384, "PS384"),
        (Algorithm::PS512, "PS512"),
    ] {
        let sign = || PKR.sign(algorithm, &json!({ "alg": name }), &claims("rsa-client"));
        assert_eq!(by(&plain, &sign()).await.status, 200, "{name}");
        // The algorithm of the key is binding.
        let of_ps384 = if name == "PS384" { 200 } else { 401 };
        assert_eq!(by(&ps384, &sign()).await.status, of_ps384, "{name}");
    }
}

#[tokio::test]
async fn missing_algorithm_registration_does_not_admit_forbidden_algorithms() {
    // An HMAC with the public key or an empty key, no signature, and a signature of another
    // algorithm than the header states.
    let n = PKR.jwk(&json!({}))["n"].as_str().unwrap().to_owned();
    for secret in [n.as_bytes(), b""] {
        for (algorithm, name) in [(Algorithm::HS256, "HS256"), (Algorithm::HS512, "HS512")] {
            let header = json!({ "alg": name, "kid": "r1" });
            let assertion = sign_hmac(algorithm, secret, &header, &claims("rsa-client"));
            refused(&assertion, Refusal::MethodNotRegistered).await;
        }
    }
    for name in ["none", "RSA-OAEP", "RS1", "rs256"] {
        let header = json!({ "alg": name, "kid": "r1" });
        let assertion = PKR.sign(Algorithm::RS256, &header, &claims("rsa-client"));
        refused(&assertion, Refusal::AlgorithmNotAllowed).await;
    }
    let header = json!({ "alg": "PS256", "kid": "r1" });
    let assertion = PKR.sign(Algorithm::RS256, &header, &claims("rsa-client"));
    refused(&assertion, Refusal::BadSignature).await;
}

#[tokio::test]
async fn algorithm_of_a_shared_secret_is_hs256_unless_another_is_registered() {
    // The secret is long enough for all three.
    let client = |algorithms: &Value| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "sj",
            "client_secret": SHARED_SECRET,
            "token_endpoint_auth_method": "client_secret_jwt",
            "token_endpoint_auth_signing_algs": algorithms,
        })))
        .assertions(Assertions::new(ISSUER))
    };
    for (algorithms, admitted) in [
        (json!(null), &["HS256"][..]),
        (json!(["HS384"]), &["HS384"]),
        (json!(["HS512"]), &["HS512"]),
        (json!(["HS256", "HS512"]), &["HS256", "HS512"]),
    ] {
        let authenticator = client(&algorithms);
        for (algorithm, name) in [
            (Algorithm::HS256, "HS256"),
            (Algorithm::HS384, "HS384"),
            (Algorithm::HS512, "HS512"),
        ] {
            let header = json!({ "alg": name });
            let secret = SHARED_SECRET.as_bytes();
            let assertion = sign_hmac(algorithm, secret, &header, &claims("sj"));
            let response = by(&authenticator, &assertion).await;
            let refusal = (!admitted.contains(&name)).then_some(Refusal::AlgorithmNotAllowed);
            assert_eq!(response.refusal(), refusal, "{name} of {algorithms}");
        }
    }
}

#[tokio::test]
async fn server_can_limit_the_algorithms() {
    use tower_revocation::jose::Algorithm as Accepted;
    let fapi = [Accepted::Ps256, Accepted::Es256, Accepted::Ed25519];
    let assertions = Assertions::new(ISSUER).algorithms(fapi);
    let authenticator = ClientAuthenticator::new(clients()).assertions(assertions);
    let rs256 = json!({ "alg": "RS256", "kid": "r1" });
    let rs256 = PKR.sign(Algorithm::RS256, &rs256, &claims("rsa-client"));
    let response = by(&authenticator, &rs256).await;
    assert_eq!(response.refusal(), Some(Refusal::AlgorithmNotAllowed));
    assert_eq!(by(&authenticator, &pk(&json!({}))).await.status, 200);
}

#[tokio::test]
async fn ed25519_needs_its_registered_name() {
    let key = Key::generate(&rcgen::PKCS_ED25519);
    let client = |alg: Option<&str>| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "ed",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": alg,
            "jwks": key.jwks(&json!({})),
        })))
        .assertions(Assertions::new(ISSUER))
    };
    for (registered, named, status) in [
        (None, "EdDSA", 200),
        (None, "Ed25519", 200),
        (Some("EdDSA"), "EdDSA", 200),
        (Some("EdDSA"), "Ed25519", 401),
        (Some("Ed25519"), "Ed25519", 200),
        (Some("Ed25519"), "EdDSA", 401),
    ] {
        let assertion = key.sign(Algorithm::EdDSA, &json!({ "alg": named }), &claims("ed"));
        let response = by(&client(registered), &assertion).await;
        assert_eq!(response.status, status, "{registered:?} {named}");
    }
}

#[tokio::test]
async fn public_key_is_not_an_hmac_secret() {
    let pem = PKR.pair().public_key_pem();
    let jwk = PKR.jwk(&json!({})).to_string();
    let secrets: [&[u8]; 4] = [
        pem.as_bytes(),
        PKR.pair().public_key_raw(),
        jwk.as_bytes(),
        PKR.jwk(&json!({}))["n"].as_str().unwrap().as_bytes(),
    ]
    .map(|bytes: &[u8]| -> &[u8] { Box::leak(bytes.to_vec().into_boxed_slice()) });
    for secret in secrets {
        let header = json!({ "alg": "HS256", "kid": "r1" });
        let assertion = sign_hmac(Algorithm::HS256, secret, &header, &claims("rsa-client"));
        refused(&assertion, Refusal::MethodNotRegistered).await;
    }
}

#[tokio::test]
async fn client_secret_jwt_client_cannot_use_a_key() {
    let assertion = PKR.sign(
        Algorithm::RS256,
        &json!({ "alg": "RS256" }),
        &claims("sj-client"),
    );
    refused(&assertion, Refusal::MethodNotRegistered).await;
}

#[tokio::test]
async fn unsigned_assertion_is_refused() {
    let genuine = pk(&json!({}));
    let claims = genuine.split('.').nth(1).unwrap();
    for header in [
        "eyJhbGciOiJub25lIn0",                    // {"alg":"none"}
        "eyJhbGciOiJOT05FIn0",                    // {"alg":"NONE"}
        "eyJhbGciOiJIUzI1NiIsImFsZyI6Im5vbmUifQ", // twice
    ] {
        for signature in ["", "AA"] {
            let response = by(&authenticator(), &format!("{header}.{claims}.{signature}")).await;
            assert_eq!(response.status, 401);
        }
    }
}

#[tokio::test]
async fn algorithm_needs_a_key_of_its_type() {
    let p384 = Key::generate(&rcgen::PKCS_ECDSA_P384_SHA384);
    let clients = registry(&json!({
        "client_id": "pk-client",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [PK.jwk(&json!({ "kid": "k1" })), p384.jwk(&json!({ "kid": "k2" }))] },
    }));
    let authenticator = ClientAuthenticator::new(clients).assertions(Assertions::new(ISSUER));
    for (alg, kid) in [
        ("ES256", "k2"),
        ("ES384", "k1"),
        ("EdDSA", "k1"),
        ("RS256", "k1"),
    ] {
        let header = json!({ "alg": alg, "kid": kid });
        let assertion = PK.sign(Algorithm::ES256, &header, &claims("pk-client"));
        let response = by(&authenticator, &assertion).await;
        assert_eq!(response.refusal(), Some(Refusal::NoSuchKey), "{alg} {kid}");
    }
}

#[tokio::test]
async fn keys_in_the_token_are_not_used() {
    let own = Key::ec();
    for member in [
        json!({ "jwk": own.jwk(&json!({})) }),
        json!({ "jku": "https://attacker.example/keys" }),
        json!({ "x5u": "https://attacker.example/cert" }),
        json!({ "x5c": ["MIIB"] }),
    ] {
        let header = with(header(), &member);
        let assertion = own.sign(Algorithm::ES256, &header, &claims("pk-client"));
        refused(&assertion, Refusal::BadSignature).await;
        accepted(&PK.sign(Algorithm::ES256, &header, &claims("pk-client"))).await;
    }
}

#[tokio::test]
async fn hostile_kid_selects_no_key() {
    for kid in [
        json!("../../etc/passwd"),
        json!("' OR 1=1--"),
        json!("\u{0}"),
        json!("k".repeat(10 * 1024)),
        json!(1),
        json!(["k1"]),
    ] {
        let header = with(header(), &json!({ "kid": kid }));
        let assertion = PK.sign(Algorithm::ES256, &header, &claims("pk-client"));
        assert_eq!(by(&authenticator(), &assertion).await.status, 401, "{kid}");
    }
}

#[tokio::test]
async fn critical_extensions_are_refused() {
    let header = with(header(), &json!({ "crit": ["exp"], "exp": 1 }));
    let assertion = PK.sign(Algorithm::ES256, &header, &claims("pk-client"));
    refused(&assertion, Refusal::MalformedAssertion).await;
}

// Form

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

#[tokio::test]
async fn every_changed_bit_is_noticed() {
    let genuine = pk(&json!({}));
    for place in (0..genuine.len()).step_by(7) {
        let mut bytes = genuine.clone().into_bytes();
        if bytes[place] == b'.' {
            continue;
        }
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(by(&authenticator(), &changed).await.status, 401, "{place}");
    }
}

// At the endpoint

#[tokio::test]
async fn method_that_the_endpoint_does_not_accept_is_refused() {
    // Both methods use assertions. The endpoint accepts one of them.
    let only_keys = || layer(authenticator()).auth_methods([AuthMethod::PrivateKeyJwt]);
    let secret = SHARED_SECRET.as_bytes();
    let by_secret = sign_hmac(
        Algorithm::HS256,
        secret,
        &json!({ "alg": "HS256" }),
        &claims("sj-client"),
    );
    assert_eq!(ask(only_keys(), post(form(&by_secret))).await.status, 400);
    assert_eq!(
        ask(only_keys(), post(form(&pk(&json!({}))))).await.status,
        200
    );
}

#[tokio::test]
async fn registered_methods_are_binding() {
    let registered = |methods: &[&str]| {
        ClientAuthenticator::new(registry(&json!({
            "client_id": "both",
            "client_secret": SHARED_SECRET,
            "token_endpoint_auth_methods": methods,
            "jwks": PK.jwks(&json!({})),
        })))
        .assertions(Assertions::new(ISSUER))
    };
    let by_secret = |authenticator| async move {
        let mut request = post("token=rt1");
        let field = basic("both", SHARED_SECRET).parse().unwrap();
        request.headers_mut().insert("authorization", field);
        ask(layer(authenticator), request).await.status.as_u16()
    };
    let by_key = |authenticator: ClientAuthenticator<_>| async move {
        let assertion = PK.sign(
            Algorithm::ES256,
            &json!({ "alg": "ES256" }),
            &claims("both"),
        );
        by(&authenticator, &assertion).await.status.as_u16()
    };
    let keys_alone = registered(&["private_key_jwt"]);
    assert_eq!(
        (
            by_secret(keys_alone.clone()).await,
            by_key(keys_alone).await
        ),
        (401, 200)
    );
    let secret_alone = registered(&["client_secret_basic"]);
    assert_eq!(
        (
            by_secret(secret_alone.clone()).await,
            by_key(secret_alone).await
        ),
        (200, 401)
    );
    let both = registered(&["client_secret_basic", "private_key_jwt"]);
    assert_eq!(
        (by_secret(both.clone()).await, by_key(both).await),
        (200, 200)
    );
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
