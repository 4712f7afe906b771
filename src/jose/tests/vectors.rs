//! Keys and signatures of the specifications.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::jose::{Algorithm, Claim, HmacKey, Jwk, Jws, KeyErrorKind, KeySet};

/// RFC 7515 §A.1.1: the secret.
pub(super) const A1_SECRET: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

/// RFC 7515 §A.1: HS256.
pub(super) const A1: &str = concat!(
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQo",
    "gImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOE",
    "jXk",
);

/// RFC 7515 §A.2.1.
pub(super) const A2_KEY: &str = concat!(
    r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4"#,
    "qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OM",
    "g0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3",
    "qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4F",
    r#"RWyuXpoQ","e":"AQAB"}"#,
);

/// RFC 7515 §A.2: RS256.
pub(super) const A2: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGx",
    "lLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5R",
    "Zmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrn",
    "byTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHW",
    "EsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig",
    "cN_IoypGlUPQGe77Rw",
);

/// RFC 7515 §A.3.1.
pub(super) const A3_KEY: &str = concat!(
    r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu"#,
    r#"9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
);

/// RFC 7515 §A.3: ES256.
pub(super) const A3: &str = concat!(
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGx",
    "lLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8I",
    "SlSApmWQxfKTUJqPP3-Kg6NU1Q",
);

/// RFC 7515 §A.4.1.
pub(super) const A4_KEY: &str = concat!(
    r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_N"#,
    r#"jFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1"#,
    r#"WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#,
);

/// RFC 7515 §A.4: ES512. The payload is not JSON.
pub(super) const A4: &str = concat!(
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPW",
    "ROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKv",
    "U8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
);

/// RFC 7520 §3.3.
pub(super) const C33_KEY: &str = concat!(
    r#"{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzH"#,
    "StgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2",
    "wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M",
    "1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS",
    r#"2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}"#,
);

/// RFC 7520 §4.1: RS256. None of these payloads is JSON.
pub(super) const C41: &str = concat!(
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGF",
    "uZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9",
    "hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW9",
    "1IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKt",
    "ainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0R",
    "nltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS",
    "_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH",
    "84ogoree7vjbU5y18kDquDg",
);

/// RFC 7520 §4.2: PS384.
pub(super) const C42: &str = concat!(
    "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGF",
    "uZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9",
    "hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW9",
    "1IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1",
    "xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFl",
    "fz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2",
    "Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfm",
    "WjwZ6oD4ifKo8DYM-X72Eaw",
);

/// RFC 7520 §3.1.
pub(super) const C31_KEY: &str = concat!(
    r#"{"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x":"AHKZLL"#,
    r#"OsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"#,
    r#""AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR"#,
    r#"1"}"#,
);

/// RFC 7520 §4.3: ES512.
pub(super) const C43: &str = concat!(
    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGF",
    "uZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9",
    "hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW9",
    "1IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUII",
    "UnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IE",
    "KBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
);

/// RFC 7520 §3.5: the secret.
pub(super) const C35_SECRET: &str = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";

/// RFC 7520 §4.4: HS256.
pub(super) const C44: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.SXTigJl",
    "zIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB",
    "0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2h",
    "lcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
);

/// RFC 8037 §A.2.
pub(super) const ED_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// RFC 8037 §A.4. The payload is not JSON.
pub(super) const ED: &str = concat!(
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09P",
    "GcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
);

/// RFC 7517 §A.1.
pub(super) const PUBLIC_KEYS: &str = concat!(
    r#"{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y""#,
    r#":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},{"kty":"RSA","n":""#,
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_B",
    "JECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_F",
    "DW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4",
    r#"vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQA"#,
    r#"B","alg":"RS256","kid":"2011-04-29"}]}"#,
);

/// RFC 7517 §A.2, its first key.
pub(super) const PRIVATE_KEY: &str = concat!(
    r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SR"#,
    r#"W2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","#,
    r#""use":"enc","kid":"1"}"#,
);

/// RFC 7638 §3.1.
pub(super) const THUMBPRINT_KEY: &str = concat!(
    r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7"#,
    "aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0",
    "h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD0",
    "8qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJ",
    r#"zKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
);

/// The signing input and the signature.
pub(super) fn halves(compact: &str) -> (&[u8], Vec<u8>) {
    let (input, signature) = compact.rsplit_once('.').unwrap();
    (input.as_bytes(), bytes(signature))
}

pub(super) fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub(super) fn key(json: &str) -> Jwk {
    Jwk::from_json(json).unwrap()
}

#[test]
fn public_keys_verify_signatures_of_the_specifications() {
    for (jwk, algorithm, compact) in [
        (A2_KEY, Algorithm::Rs256, A2),
        (A3_KEY, Algorithm::Es256, A3),
        (A4_KEY, Algorithm::Es512, A4),
        (C33_KEY, Algorithm::Rs256, C41),
        (C33_KEY, Algorithm::Ps384, C42),
        (C31_KEY, Algorithm::Es512, C43),
        (ED_KEY, Algorithm::EdDsa, ED),
        (ED_KEY, Algorithm::Ed25519, ED),
    ] {
        let (input, signature) = halves(compact);
        for &other in Algorithm::ALL {
            let synonym = compact == ED && matches!(other, Algorithm::EdDsa | Algorithm::Ed25519);
            let verified = key(jwk).verify(other, input, &signature);
            assert_eq!(verified, other == algorithm || synonym, "{jwk} {other}");
        }
    }
}

#[test]
fn secrets_verify_hmacs_of_the_specifications() {
    for (secret, compact) in [(A1_SECRET, A1), (C35_SECRET, C44)] {
        let (input, signature) = halves(compact);
        let secret = HmacKey::new(&bytes(secret));
        for &other in Algorithm::ALL {
            let verified = secret.verify(other, input, &signature);
            assert_eq!(verified, other == Algorithm::Hs256, "{other}");
        }
    }
}

#[test]
fn claims_of_the_specifications_are_read() {
    for (compact, algorithm, typ) in [
        (A1, Algorithm::Hs256, Some("JWT")),
        (A2, Algorithm::Rs256, None),
        (A3, Algorithm::Es256, None),
    ] {
        let jws = Jws::parse(compact, compact.len()).unwrap();
        assert_eq!(jws.algorithm, algorithm);
        assert_eq!((jws.typ(), jws.kid()), (typ, None));
        assert_eq!(jws.claims.text("iss"), Ok(Some("joe")));
        assert_eq!(
            jws.claims.get("exp"),
            Some(Claim::Other(&1_300_819_380.into()))
        );
        assert_eq!((jws.signing_input, jws.signature), halves(compact));
    }
}

#[test]
fn keys_of_the_specifications_are_read() {
    // The first of the two is for encryption.
    let keys = KeySet::from_json(PUBLIC_KEYS).unwrap();
    assert_eq!(keys.len(), 1);
    assert!(keys.has_kid("2011-04-29"));

    let private = Jwk::from_json(PRIVATE_KEY).unwrap_err();
    assert_eq!(private.kind(), KeyErrorKind::Private);
}

#[test]
fn thumbprints_are_those_of_the_specifications() {
    for (jwk, thumbprint) in [
        (
            THUMBPRINT_KEY,
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        (ED_KEY, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        assert_eq!(key(jwk).thumbprint().as_slice(), bytes(thumbprint));
    }
}
