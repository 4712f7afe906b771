//! `Idempotency-Key`: which order is a repetition?

use hyper::HeaderMap;
use sha2::{Digest as _, Sha256};

use super::{super::problem::Refusal, fingerprint};

/// The key of a request (draft-ietf-httpapi-idempotency-key-header), as one of its actor.
pub(in super::super) struct IdempotencyKey {
    digest: [u8; 32],
    fingerprint: String,
}

const NAME: &str = "idempotency-key";
const MAX_LENGTH: usize = 255;
const INVALID: Refusal = Refusal::BadRequest(
    "the Idempotency-Key must be 1 to 255 printable ASCII characters, with or without quotes",
);

impl IdempotencyKey {
    /// The key of a request. `None` if it has none.
    pub(in super::super) fn read(
        headers: &HeaderMap,
        actor: &str,
    ) -> Result<Option<Self>, Refusal> {
        let mut fields = headers.get_all(NAME).iter();
        let Some(field) = fields.next() else {
            return Ok(None);
        };
        if fields.next().is_some() {
            return Err(Refusal::BadRequest(
                "the request has several Idempotency-Key",
            ));
        }
        // `to_str` refuses what is not printable.
        let text = field.to_str().map_err(|_| INVALID)?;
        let key = if text.starts_with('"') {
            unquoted(text).ok_or(INVALID)?
        } else {
            text.to_owned()
        };
        let is_printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if key.is_empty() || key.len() > MAX_LENGTH || !is_printable {
            return Err(INVALID);
        }
        let actor_length = actor.len() as u64;
        let digest = Sha256::new()
            .chain_update(actor_length.to_le_bytes())
            .chain_update(actor)
            .chain_update(&key);
        Ok(Some(Self {
            digest: digest.finalize().into(),
            fingerprint: fingerprint(&key),
        }))
    }

    /// The key of the journal for one of several orders in a request. The first has that of the
    /// request.
    pub(in super::super) fn digest_of(&self, number: usize) -> [u8; 32] {
        if number == 0 {
            return self.digest;
        }
        let digest = Sha256::new().chain_update(self.digest);
        let digest = digest.chain_update((number as u64).to_le_bytes());
        digest.finalize().into()
    }

    pub(in super::super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// The characters of a string in quotes (RFC 9651 §3.3.3).
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut unquoted = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        unquoted.push(match character {
            '\\' => characters
                .next()
                .filter(|next| matches!(next, '"' | '\\'))?,
            '"' => return None,
            other => other,
        });
    }
    Some(unquoted)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]], actor: &str) -> Result<Option<[u8; 32]>, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_bytes(value).unwrap());
        }
        let read = IdempotencyKey::read(&headers, actor)?;
        Ok(read.map(|key| key.digest_of(0)))
    }

    #[test]
    fn key_is_the_same_with_and_without_quotes() {
        let bare = read(&[b"8e03978e-40d5"], "a").unwrap().unwrap();
        assert_eq!(read(&[b"\"8e03978e-40d5\""], "a"), Ok(Some(bare)));
        let escaped = read(&[br#""a\"b\\c""#], "a").unwrap();
        assert_eq!(read(&[br#"a"b\c"#], "a"), Ok(escaped));
        assert_eq!(read(&[], "a"), Ok(None));
        assert!(read(&[&[b'k'; 255]], "a").is_ok());
    }

    #[test]
    fn key_of_another_actor_is_another() {
        let of = |actor, key: &[u8]| read(&[key], actor).unwrap().unwrap();
        assert_ne!(of("a", b"key"), of("b", b"key"));
        assert_ne!(of("ab", b"c"), of("a", b"bc"));
    }

    #[test]
    fn invalid_key_is_refused() {
        for value in [
            b"".as_slice(),
            b"\"\"",
            b"\"",
            b"\"a",
            b"\"a\"b\"",
            br#""a\n""#,
            br#""a\""#,
            b"\"a\"; p=1",
            b"a\tb",
            "ä".as_bytes(),
            &[b'k'; 256],
        ] {
            assert!(read(&[value], "a").is_err(), "{value:?}");
        }
        assert!(read(&[b"a", b"a"], "a").is_err());
    }
}
