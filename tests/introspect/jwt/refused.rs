//! Tokens that are refused, one reason at a time.

use jsonwebtoken::{Algorithm as Signing, EncodingKey};
use serde_json::{Value, json};
use tower_revocation::{
    introspect::jwt::{Audience, Dialect, JwtTokens},
    jose::Algorithm,
};

use crate::jwt::fixture::{
    AUDIENCE, ISSUER, KEY, Key, ask, ask_for, claims, encode, header, sign_by, token, tokens, with,
    without,
};

#[tokio::test]
async fn text_that_is_not_a_compact_jws_with_an_object() {
    let good = token(&json!({}));
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("three segments")
    };
    for odd in [
        String::new(),
        "45ghiukldjahdnhzdauz".to_owned(),
        format!("{head}.{body}"),
        format!("{head}.{body}."),
        format!("{head}..{signature}"),
        format!(".{body}.{signature}"),
        format!("{head}.{body}.{signature}.{signature}.{signature}"),
        json!({ "protected": head, "payload": body, "signature": signature }).to_string(),
        KEY.sign_text(&header().to_string(), "[]"),
        KEY.sign_text(&header().to_string(), "\"text\""),
        KEY.sign_text("null", &claims().to_string()),
    ] {
        assert!(ask(&tokens(), &odd).await.is_none(), "{odd}");
    }
    assert!(ask(&tokens(), &good).await.is_some());
}

#[tokio::test]
async fn token_without_a_signature_or_with_that_of_another_key() {
    let good = token(&json!({}));
    let (input, signature) = good.rsplit_once('.').unwrap();
    let stranger = Key::generate().sign(&header(), &claims());
    assert!(ask(&tokens(), &stranger).await.is_none());

    let (head, _) = input.split_once('.').unwrap();
    let promoted = encode(with(claims(), &json!({ "sub": "root" })).to_string());
    let promoted = format!("{head}.{promoted}.{signature}");
    assert!(ask(&tokens(), &promoted).await.is_none());

    let zero = format!("{input}.{}", encode([0; 64]));
    assert!(ask(&tokens(), &zero).await.is_none());
    let unnamed = without(header(), "kid");
    let stranger = Key::generate().sign(&unnamed, &claims());
    assert!(ask(&tokens(), &stranger).await.is_none());
}

#[tokio::test]
async fn token_of_another_type() {
    for typ in [
        json!("JWT"),
        json!("jwt"),
        json!("at+jwt "),
        json!("+jwt"),
        json!("text/at+jwt"),
        json!("application/"),
        json!("dpop+jwt"),
        json!("logout+jwt"),
        json!("client-authentication+jwt"),
        json!(""),
        json!(1),
        json!(null),
        json!(["at+jwt"]),
    ] {
        let token = KEY.sign(&with(header(), &json!({ "typ": typ })), &claims());
        assert!(ask(&tokens(), &token).await.is_none(), "{typ}");
    }
    let untyped = KEY.sign(&without(header(), "typ"), &claims());
    assert!(ask(&tokens(), &untyped).await.is_none());
}

#[tokio::test]
async fn token_with_an_algorithm_that_is_not_allowed() {
    let only = tokens().algorithms([Algorithm::Rs256, Algorithm::Ed25519]);
    assert!(ask(&only, &token(&json!({}))).await.is_none());
    for alg in ["none", "None", "es256", "ES384", "RS256", "HS256", ""] {
        let token = KEY.sign(&with(header(), &json!({ "alg": alg })), &claims());
        assert!(ask(&tokens(), &token).await.is_none(), "{alg}");
    }
    let unsigned = with(header(), &json!({ "alg": "none" })).to_string();
    let unsigned = format!("{}.{}.", encode(unsigned), encode(claims().to_string()));
    assert!(ask(&tokens(), &unsigned).await.is_none());
}

/// RFC 8725 §3.1: a public key is not a secret.
#[tokio::test]
async fn token_signed_with_the_public_key_as_a_secret() {
    let jwk = KEY.jwk(&json!({})).to_string();
    for secret in [KEY.public_bytes(), jwk.as_bytes()] {
        let key = EncodingKey::from_secret(secret);
        let header = with(header(), &json!({ "alg": "HS256" })).to_string();
        let input = format!("{}.{}", encode(header), encode(claims().to_string()));
        let token = sign_by(&key, Signing::HS256, &input);
        let willing = tokens().algorithms(Algorithm::ALL.iter().copied());
        assert!(ask(&willing, &token).await.is_none());
    }
}

/// RFC 8725 §3.10
#[tokio::test]
async fn key_that_is_in_the_token() {
    let stranger = Key::generate();
    for more in [
        json!({ "jwk": stranger.jwk(&json!({})) }),
        json!({ "jku": "https://evil.example.com/jwks.json" }),
        json!({ "kid": "../../etc/passwd" }),
        json!({ "kid": "k2" }),
        json!({ "kid": "" }),
        json!({ "kid": 1 }),
    ] {
        let token = stranger.sign(&with(header(), &more), &claims());
        assert!(ask(&tokens(), &token).await.is_none(), "{more}");
    }
}

/// RFC 7515 §4.1.11
#[tokio::test]
async fn token_with_an_unknown_critical_extension() {
    for more in [
        json!({ "crit": ["exp"] }),
        json!({ "b64": false }),
        json!({ "zip": "DEF" }),
    ] {
        let token = KEY.sign(&with(header(), &more), &claims());
        assert!(ask(&tokens(), &token).await.is_none(), "{more}");
    }
}

#[tokio::test]
async fn token_of_another_issuer() {
    for iss in [
        json!("https://as.example.com/"),
        json!("HTTPS://as.example.com"),
        json!("https://as.example.com:443"),
        json!("https://evil.example.com"),
        json!(""),
        json!(null),
        json!([ISSUER]),
    ] {
        assert!(ask_for(&json!({ "iss": iss })).await.is_none(), "{iss}");
    }
    let without_iss = KEY.sign(&header(), &without(claims(), "iss"));
    assert!(ask(&tokens(), &without_iss).await.is_none());
}

#[tokio::test]
async fn token_for_another_audience() {
    for aud in [
        json!("https://api.example.com/"),
        json!("https://other.example.com"),
        json!(["https://other.example.com"]),
        json!([]),
        json!(""),
        json!(null),
        json!(1),
        json!({ "0": AUDIENCE }),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
    ] {
        assert!(ask_for(&json!({ "aud": aud })).await.is_none(), "{aud}");
    }
    let without_aud = KEY.sign(&header(), &without(claims(), "aud"));
    assert!(ask(&tokens(), &without_aud).await.is_none());
    // A malformed `aud` is refused even if the audience is not checked.
    let unchecked = JwtTokens::new(ISSUER, KEY.set(), Audience::unchecked());
    let odd = token(&json!({ "aud": [1] }));
    assert!(ask(&unchecked, &odd).await.is_none());
}

#[tokio::test]
async fn token_without_an_expiry_or_a_client() {
    for member in ["exp", "client_id"] {
        let token = KEY.sign(&header(), &without(claims(), member));
        assert!(ask(&tokens(), &token).await.is_none(), "{member}");
    }
}

#[tokio::test]
async fn claim_of_the_wrong_type() {
    let dates: Vec<Value> = vec![
        json!("1999999999"),
        json!(-1),
        json!(1e300),
        json!(null),
        json!([1_999_999_999]),
        json!({}),
        json!(true),
    ];
    for member in ["exp", "iat", "nbf"] {
        for odd in &dates {
            // An `exp` beyond the calendar is a date.
            if member == "exp" && odd == &json!(1e300) {
                continue;
            }
            let answer = ask_for(&json!({ member: odd })).await;
            assert!(answer.is_none(), "{member}: {odd}");
        }
    }
    for member in ["client_id", "sub", "jti", "sid"] {
        for odd in [json!(1), json!(null), json!(["a"]), json!({}), json!("")] {
            let answer = ask_for(&json!({ member: odd })).await;
            assert!(answer.is_none(), "{member}: {odd}");
        }
    }
    for odd in [json!(1), json!(null), json!(["read"]), json!({})] {
        assert!(ask_for(&json!({ "scope": odd })).await.is_none(), "{odd}");
    }
}

#[tokio::test]
async fn number_beyond_the_range_of_a_double() {
    let claims = claims().to_string();
    for exp in ["1e400", "-1e400", "NaN", "Infinity", "01", "0x1"] {
        let claims = claims.replacen('{', &format!("{{\"nbf\":{exp},"), 1);
        let token = KEY.sign_text(&header().to_string(), &claims);
        assert!(ask(&tokens(), &token).await.is_none(), "{exp}");
    }
}

/// A bound token must not be taken for an unbound one.
#[tokio::test]
async fn binding_that_is_not_understood() {
    let good = encode([0xff; 32]);
    // The last character has two unused bits: `8` and `_` decode to the same bytes.
    let loose = format!("{}9", &good[..42]);
    for cnf in [
        json!({}),
        json!(null),
        json!(good),
        json!([{ "jkt": good }]),
        json!({ "jkt": 1 }),
        json!({ "jkt": null }),
        json!({ "jkt": "" }),
        json!({ "jkt": &good[..42] }),
        json!({ "jkt": format!("{good}A") }),
        json!({ "jkt": format!("{good}=") }),
        json!({ "jkt": format!("{good} ") }),
        json!({ "jkt": good.replace('_', "/") }),
        json!({ "jkt": loose }),
        json!({ "jkt": encode([0xff; 31]) }),
        json!({ "jkt": encode([0xff; 33]) }),
        json!({ "x5t#S256": 1 }),
        json!({ "x5t#S256": loose }),
        json!({ "x5t": good }),
        json!({ "jkt": good, "x5t#S256": null }),
        json!({ "kid": "k1" }),
        json!({ "jwk": KEY.jwk(&json!({})) }),
    ] {
        assert!(ask_for(&json!({ "cnf": cnf })).await.is_none(), "{cnf}");
    }
    let more = json!({ "cnf": { "jkt": good, "kid": "k1" } });
    assert!(ask_for(&more).await.is_some());
}

#[tokio::test]
async fn member_that_occurs_twice() {
    let (head, body) = (header().to_string(), claims().to_string());
    for twice in [
        r#""sub":"root""#,
        r#""jti":"another""#,
        r#""\u006ati":"another""#,
        r#""unknown":1,"unknown":1"#,
        r#""act":{"sub":"a","sub":"b"}"#,
    ] {
        let body = body.replacen('{', &format!("{{{twice},"), 1);
        let token = KEY.sign_text(&head, &body);
        assert!(ask(&tokens(), &token).await.is_none(), "{twice}");
    }
    let head = head.replacen('{', r#"{"kid":"k2","#, 1);
    let token = KEY.sign_text(&head, &body);
    assert!(ask(&tokens(), &token).await.is_none());
}

#[tokio::test]
async fn token_that_is_too_long() {
    let padded = |bytes| token(&json!({ "padding": "x".repeat(bytes) }));
    let (short, long) = (padded(11_000), padded(13_000));
    assert!(short.len() < 16 * 1024 && long.len() > 16 * 1024);
    assert!(ask(&tokens(), &short).await.is_some());
    assert!(ask(&tokens(), &long).await.is_none());
    assert!(ask(&tokens().max_size(long.len()), &long).await.is_some());
    let precise = tokens().max_size(long.len() - 1);
    assert!(ask(&precise, &long).await.is_none());
}

#[tokio::test]
async fn token_that_lacks_what_the_dialect_demands() {
    let dialect = Dialect::rfc9068()
        .types(["JWT"])
        .demand("use", ["access", "service"])
        .refuse("nonce")
        .client(["azp", "client_id"])
        .grant("gid");
    let tokens = tokens().dialect(dialect);
    let header = with(header(), &json!({ "typ": "JWT" }));
    let sign = |more: &Value| KEY.sign(&header, &with(claims(), more));

    let good = sign(&json!({ "use": "service", "gid": "g1", "azp": "s6BhdRkqt3" }));
    let known = ask(&tokens, &good).await.unwrap();
    assert_eq!(known.grant.as_deref(), Some("g1"));
    for (reason, more) in [
        ("no mark", json!({})),
        ("another mark", json!({ "use": "id" })),
        ("a mark of another type", json!({ "use": ["access"] })),
        ("what is refused", json!({ "use": "access", "nonce": null })),
        ("two clients", json!({ "use": "access", "azp": "c2" })),
        ("no grant's name", json!({ "use": "access", "gid": 7 })),
    ] {
        assert!(ask(&tokens, &sign(&more)).await.is_none(), "{reason}");
    }
    let untyped = KEY.sign(&without(header.clone(), "typ"), &claims());
    assert!(ask(&tokens, &untyped).await.is_none());
}
