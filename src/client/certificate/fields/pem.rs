//! Certificates as URL-encoded PEM (RFC 7468, RFC 3986 §2.1).

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::MalformedCertificate;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificate in a text with exactly one.
pub(super) fn one(escaped: &[u8]) -> Result<Vec<u8>, MalformedCertificate> {
    let mut blocks = all(escaped)?;
    match (blocks.pop(), blocks.is_empty()) {
        (Some(block), true) => Ok(block),
        _ => Err(MalformedCertificate(
            "the field does not contain exactly one certificate in PEM",
        )),
    }
}

/// All certificates in a text that contains nothing else.
pub(super) fn all(escaped: &[u8]) -> Result<Vec<Vec<u8>>, MalformedCertificate> {
    let text = unescaped(escaped)?;
    let mut rest = text.trim_ascii();
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let (block, after) = rest
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.split_once(END))
            .ok_or(NOT_PEM)?;
        let base64: String = block.split_ascii_whitespace().collect();
        blocks.push(BASE64_STANDARD.decode(base64).map_err(|_| NOT_PEM)?);
        rest = after.trim_ascii_start();
    }
    Ok(blocks)
}

const NOT_PEM: MalformedCertificate = MalformedCertificate("a certificate is not in PEM");

/// Decodes the escapes. `+` stays `+`: this is not form encoding.
fn unescaped(escaped: &[u8]) -> Result<String, MalformedCertificate> {
    const REASON: MalformedCertificate =
        MalformedCertificate("a certificate is not URL-encoded text");

    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let Some(([high, low], after)) = rest.split_first_chunk::<2>().map(|(a, b)| (*a, b)) else {
            return Err(REASON);
        };
        let (high, low) = digit(high).zip(digit(low)).ok_or(REASON)?;
        bytes.push(u8::try_from(high << 4 | low).map_err(|_| REASON)?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| REASON)
}
