//! Attribute values as text, from any ASN.1 string type.

use x509_cert::der::{Tag, Tagged as _, asn1::Any};

/// The text of a `DirectoryString` or of an older string type.
///
/// A `TeletexString` is decoded as Latin-1, which is how it is used in practice.
pub(super) fn of_any(value: &Any) -> Option<String> {
    let bytes = value.value();
    match value.tag() {
        Tag::Utf8String => String::from_utf8(bytes.to_vec()).ok(),
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => bytes
            .is_ascii()
            .then(|| bytes.iter().copied().map(char::from).collect()),
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => of_ucs2(bytes),
        _ => None,
    }
}

/// Two bytes for each character, basic multilingual plane only.
fn of_ucs2(bytes: &[u8]) -> Option<String> {
    if bytes.len() % 2 != 0 {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| char::from_u32(u32::from(u16::from_be_bytes([pair[0], pair[1]]))))
        .collect()
}

/// The text, if it can be compared.
///
/// An empty text, and one with control characters or the replacement character, equals no other
/// text (RFC 4518 §2.4).
pub(super) fn checked(text: &str) -> Option<&str> {
    let is_prohibited = |character: char| character.is_control() || character == '\u{fffd}';
    (!text.is_empty() && !text.contains(is_prohibited)).then_some(text)
}

/// The text prepared for caseIgnoreMatch (RFC 4518 §2): lower case, trimmed, repeated spaces
/// collapsed.
///
/// Lower case is Unicode's, character by character. There is no normalisation: an `é` of one
/// character does not equal an `é` of two.
pub(super) fn folded(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for word in checked(text)?.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    (!folded.is_empty()).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_case_do_not_matter() {
        assert_eq!(folded("  Ärger \u{a0} &  Söhne "), folded("ärger & SÖHNE"));
        assert_ne!(folded("ab"), folded("a b"));
    }

    #[test]
    fn control_characters_match_nothing() {
        for text in ["a\0", "a\n", "\u{85}", "a\u{fffd}", "", "  "] {
            assert_eq!(folded(text), None, "{text:?}");
        }
    }

    #[test]
    fn string_types_are_equivalent() {
        let strings = [
            Any::new(Tag::Utf8String, "Zoë".as_bytes()),
            Any::new(Tag::TeletexString, &b"Zo\xeb"[..]),
            Any::new(Tag::BmpString, &b"\0Z\0o\0\xeb"[..]),
        ];
        for string in strings {
            assert_eq!(of_any(&string.unwrap()).as_deref(), Some("Zoë"));
        }
    }

    #[test]
    fn malformed_string_is_not_text() {
        let strings = [
            Any::new(Tag::Utf8String, &b"Zo\xeb"[..]),
            Any::new(Tag::PrintableString, "Zoë".as_bytes()),
            Any::new(Tag::BmpString, &b"\0Z\0"[..]),
            Any::new(Tag::BmpString, &b"\xd8\x00\xdc\x00"[..]),
            Any::new(Tag::OctetString, &b"Zoe"[..]),
        ];
        for string in strings {
            assert_eq!(of_any(&string.unwrap()), None);
        }
    }
}
