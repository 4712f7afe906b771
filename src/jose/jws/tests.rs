use super::*;
use crate::jose::Claim;

const HEADER: &str = r#"{"alg":"ES256"}"#;
const CLAIMS: &str = r#"{"a":"?>~"}"#;
const MAX_LEN: usize = 16 * 1024;

fn token(header: &str, claims: &str) -> String {
    let segment = |text| URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.{}",
        segment(header),
        segment(claims),
        segment("??>>~")
    )
}

fn refusal(compact: &str) -> Option<JwsError> {
    Jws::parse(compact, MAX_LEN).err()
}

fn header_refusal(header: &str) -> Option<JwsError> {
    refusal(&token(header, CLAIMS))
}

#[test]
fn header_and_claims_are_read() {
    let header = r#"{"alg":"PS512","kid":"k1","typ":"client-authentication+jwt","x":1}"#;
    let token = token(header, CLAIMS);
    let jws = Jws::parse(&token, MAX_LEN).unwrap();
    assert_eq!(jws.algorithm, Algorithm::Ps512);
    assert_eq!(jws.kid(), Some("k1"));
    assert_eq!(jws.typ(), Some("client-authentication+jwt"));
    assert_eq!(jws.header.get("x"), Some(Claim::Other(&1.into())));
    assert_eq!(jws.claims.text("a"), Ok(Some("?>~")));
    assert_eq!(jws.signature, b"??>>~");
    assert_eq!(format!("{jws:?}"), "Jws(..)");
    assert_eq!(
        jws.signing_input,
        token.rsplit_once('.').unwrap().0.as_bytes()
    );
}

#[test]
fn length_is_limited() {
    let token = token(HEADER, CLAIMS);
    assert!(Jws::parse(&token, token.len()).is_ok());
    let refused = Jws::parse(&token, token.len() - 1).unwrap_err();
    assert_eq!(refused, JwsError::Malformed);
}

#[test]
fn jws_has_three_segments() {
    let token = token(HEADER, CLAIMS);
    let segments: Vec<_> = token.split('.').collect();
    let (header, claims, signature) = (segments[0], segments[1], segments[2]);
    for other in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{token}.{signature}.{signature}"),
        format!(r#"{{"payload":"{claims}","protected":"{header}","signature":"{signature}"}}"#),
    ] {
        assert_eq!(refusal(&other), Some(JwsError::Malformed), "{other}");
    }
    assert_eq!(refusal(&token), None);
}

#[test]
fn each_segment_has_one_spelling() {
    let token = token(r#"{"alg":"ES256","x":"?>~"}"#, CLAIMS);
    assert_eq!(refusal(&token), None);
    let segments: Vec<_> = token.split('.').collect();
    for place in 0..3 {
        let segment = segments[place];
        let last = segment.char_indices().last().unwrap();
        let spellings = [
            format!("{segment}="),
            format!("{segment}=="),
            format!("{segment}\n"),
            format!("\r\n{segment}"),
            format!("{}\r\n{}", &segment[..4], &segment[4..]),
            format!(" {segment}"),
            segment.replace('_', "/"),
            segment.replace('-', "+"),
            // The bits that belong to no byte.
            format!("{}{}", &segment[..last.0], char::from(last.1 as u8 + 1)),
        ];
        for spelling in spellings.iter().filter(|it| *it != segment) {
            let mut segments = segments.clone();
            segments[place] = spelling;
            let other = segments.join(".");
            assert_eq!(refusal(&other), Some(JwsError::Malformed), "{other:?}");
        }
    }
}

#[test]
fn trailing_bits_are_refused() {
    // One byte and two bytes: the last digit has four and two bits to spare.
    for (canonical, other) in [("fQ", "fR"), ("e30", "e31")] {
        assert!(decode(canonical).is_ok());
        assert_eq!(decode(other), Err(JwsError::Malformed));
    }
}

#[test]
fn algorithm_names_are_exact() {
    for alg in [
        "none", "None", "NONE", "", "es256", "ES256 ", "RSA-OAEP", "dir", "ES256K",
    ] {
        let refused = header_refusal(&format!(r#"{{"alg":"{alg}"}}"#));
        assert_eq!(refused, Some(JwsError::Algorithm), "{alg}");
    }
    for header in [
        "{}",
        r#"{"alg":null}"#,
        r#"{"alg":["ES256"]}"#,
        r#"{"alg":256}"#,
    ] {
        assert_eq!(
            header_refusal(header),
            Some(JwsError::Malformed),
            "{header}"
        );
    }
}

#[test]
fn extensions_are_refused() {
    for member in [
        r#""crit":["exp"]"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""zip":"DEF""#,
        r#""enc":"A128GCM""#,
    ] {
        let refused = header_refusal(&format!(r#"{{"alg":"ES256",{member}}}"#));
        assert_eq!(refused, Some(JwsError::Unsupported), "{member}");
    }
    let twice = header_refusal(r#"{"alg":"ES256","alg":"ES256"}"#);
    assert_eq!(twice, Some(JwsError::Malformed));
}

#[test]
fn keys_in_the_header_are_ignored() {
    for member in [
        r#""jwk":{"kty":"oct","k":"AA"}"#,
        r#""jku":"https://evil.example/keys""#,
        r#""x5u":"https://evil.example/cert""#,
        r#""x5c":["AA=="]"#,
    ] {
        let refused = header_refusal(&format!(r#"{{"alg":"ES256",{member}}}"#));
        assert_eq!(refused, None, "{member}");
    }
}

#[test]
fn kid_is_a_string_of_1_to_256_bytes() {
    let refused = |kid: &str| header_refusal(&format!(r#"{{"alg":"ES256","kid":{kid}}}"#));
    let long = |len| format!("\"{}\"", "k".repeat(len));
    for kid in [
        "\"../../etc/passwd\"",
        "\"' OR 1=1--\"",
        "\"\\u0000\"",
        &long(256),
    ] {
        assert_eq!(refused(kid), None, "{kid}");
    }
    for kid in ["1", "null", "[\"a\"]", "{}"] {
        assert_eq!(refused(kid), Some(JwsError::Malformed), "{kid}");
    }
    // Others may have such keys.
    for kid in ["\"\"", &long(257), &long(10_240)] {
        assert_eq!(refused(kid), Some(JwsError::Unsupported), "{kid}");
    }
    assert_eq!(
        header_refusal(r#"{"alg":"ES256","typ":1}"#),
        Some(JwsError::Malformed)
    );
}

#[test]
fn payload_is_exactly_one_object() {
    let bomb = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for claims in [
        "",
        "[]",
        "null",
        "Payload",
        r#"{"sub":"a","sub":"b"}"#,
        r#"{"exp":1e400}"#,
        "{} {}",
        &bomb,
    ] {
        let refused = Jws::parse(&token(HEADER, claims), 1 << 20).err();
        assert_eq!(refused, Some(JwsError::Malformed));
    }
}
