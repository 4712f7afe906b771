//! One compact JWS (RFC 7515 §7.1), read strictly and not yet believed.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Algorithm, Members, json::Malformed};

/// A key's identifier has at most so many octets.
pub(super) const LONGEST_KID: usize = 256;

/// What is written in a JWS whose payload is a JSON object. **Nothing in it is true before a key
/// has verified [`signature`](Self::signature) over [`signing_input`](Self::signing_input).**
///
/// Keys that the header brings along or points to (`jwk`, `jku`, `x5u`, `x5c`) are nobody's keys:
/// they are not looked at (RFC 8725 §3.10).
pub(crate) struct Jws<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) header: Members,
    pub(crate) claims: Members,
    pub(crate) signing_input: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwsError {
    /// It is no compact JWS with a JSON object in it, or it asks for what is not supported.
    Malformed,
    /// The algorithm is none that is known.
    Algorithm,
}

impl<'a> Jws<'a> {
    /// Reads it, unless it has more octets than `longest`.
    pub(crate) fn parse(compact: &'a str, longest: usize) -> Result<Self, JwsError> {
        // Before anything that takes time in proportion to the length.
        if compact.len() > longest {
            return Err(JwsError::Malformed);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, claims) = signing_input.split_once('.').ok_or(JwsError::Malformed)?;
        // Five segments are a JWE. The alphabet has no dot, so that the decoder refuses it.
        let header = Members::parse(&octets(header)?)?;
        let algorithm = understood(&header)?;
        let claims = Members::parse(&octets(claims)?)?;
        let signature = octets(signature)?;
        if signature.is_empty() {
            return Err(JwsError::Malformed);
        }
        Ok(Self {
            algorithm,
            header,
            claims,
            signing_input: signing_input.as_bytes(),
            signature,
        })
    }

    /// Which key it says that it was signed with.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.text("kid").unwrap_or_default()
    }

    /// What it says that it is.
    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.text("typ").unwrap_or_default()
    }
}

/// The algorithm of a header that asks for nothing else.
fn understood(header: &Members) -> Result<Algorithm, JwsError> {
    // No extension is understood, so that every `crit` is one to refuse (RFC 7515 §4.1.11). The
    // others would change what is signed, or what is in it.
    for name in ["crit", "b64", "zip", "enc"] {
        if header.get(name).is_some() {
            return Err(JwsError::Malformed);
        }
    }
    header.text("typ")?;
    let kid = header.text("kid")?;
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > LONGEST_KID) {
        return Err(JwsError::Malformed);
    }
    let algorithm = header.text("alg")?.ok_or(JwsError::Malformed)?;
    algorithm.parse().map_err(|_| JwsError::Algorithm)
}

/// Without padding, white space or bits that mean nothing (RFC 7515 §2): one spelling for one
/// token.
fn octets(segment: &str) -> Result<Vec<u8>, JwsError> {
    let octets = URL_SAFE_NO_PAD.decode(segment);
    octets.map_err(|_| JwsError::Malformed)
}

impl From<Malformed> for JwsError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jws(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"alg":"ES256"}"#;
    const CLAIMS: &str = r#"{"a":"?>~"}"#;
    const LONGEST: usize = 16 * 1024;

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
        Jws::parse(compact, LONGEST).err()
    }

    fn header_refusal(header: &str) -> Option<JwsError> {
        refusal(&token(header, CLAIMS))
    }

    #[test]
    fn what_it_says_is_read() {
        let header = r#"{"alg":"PS512","kid":"k1","typ":"client-authentication+jwt","x":1}"#;
        let token = token(header, CLAIMS);
        let jws = Jws::parse(&token, LONGEST).unwrap();
        assert_eq!(jws.algorithm, Algorithm::Ps512);
        assert_eq!(jws.kid(), Some("k1"));
        assert_eq!(jws.typ(), Some("client-authentication+jwt"));
        assert_eq!(jws.header.get("x"), Some(&1.into()));
        assert_eq!(jws.claims.text("a"), Ok(Some("?>~")));
        assert_eq!(jws.signature, b"??>>~");
        assert_eq!(format!("{jws:?}"), "Jws(..)");
        assert_eq!(
            jws.signing_input,
            token.rsplit_once('.').unwrap().0.as_bytes()
        );
    }

    #[test]
    fn the_length_decides_first() {
        let token = token(HEADER, CLAIMS);
        assert!(Jws::parse(&token, token.len()).is_ok());
        let refused = Jws::parse(&token, token.len() - 1).unwrap_err();
        assert_eq!(refused, JwsError::Malformed);
    }

    #[test]
    fn there_are_three_segments() {
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
    fn every_segment_has_one_spelling() {
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
                // The bits that no octet takes.
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
        // One octet more would be four bits, two bits, none.
        for (canonical, other) in [("fQ", "fR"), ("e30", "e31")] {
            assert!(octets(canonical).is_ok());
            assert_eq!(octets(other), Err(JwsError::Malformed));
        }
    }

    #[test]
    fn an_algorithm_is_named_exactly() {
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
            r#""alg":"ES256""#,
        ] {
            let refused = header_refusal(&format!(r#"{{"alg":"ES256",{member}}}"#));
            assert_eq!(refused, Some(JwsError::Malformed), "{member}");
        }
    }

    #[test]
    fn keys_in_the_header_are_nobodys() {
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
    fn an_identifier_is_a_string_of_1_to_256_octets() {
        let refused = |kid: &str| header_refusal(&format!(r#"{{"alg":"ES256","kid":{kid}}}"#));
        let long = |octets| format!("\"{}\"", "k".repeat(octets));
        for kid in [
            "\"../../etc/passwd\"",
            "\"' OR 1=1--\"",
            "\"\\u0000\"",
            &long(256),
        ] {
            assert_eq!(refused(kid), None, "{kid}");
        }
        for kid in [
            "\"\"",
            "1",
            "null",
            "[\"a\"]",
            "{}",
            &long(257),
            &long(10_240),
        ] {
            assert_eq!(refused(kid), Some(JwsError::Malformed), "{kid}");
        }
        assert_eq!(
            header_refusal(r#"{"alg":"ES256","typ":1}"#),
            Some(JwsError::Malformed)
        );
    }

    #[test]
    fn claims_are_one_strict_object() {
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
}
