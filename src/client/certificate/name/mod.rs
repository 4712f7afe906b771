//! Compares the subject of a certificate with a registered one (RFC 4514, RFC 4517 §4.2.15).

use x509_cert::{
    attr::AttributeTypeAndValue,
    der::{asn1::Any, oid::ObjectIdentifier},
    name::{Name, RelativeDistinguishedName},
};

use super::{attribute, text};

mod parse;

/// A registered distinguished name, prepared for comparison by meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DistinguishedName(Vec<Vec<Attribute>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    oid: ObjectIdentifier,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// Compared by caseIgnoreMatch, already prepared.
    Folded(String),
    /// A value of a type with an unknown matching rule, compared byte for byte.
    Exact(String),
    /// Written as `#hex`, not text: compared byte for byte, including its tag.
    Der(Any),
}

impl DistinguishedName {
    /// Whether this equals `subject`, relative name by relative name.
    ///
    /// The string format starts with the last one of the certificate (RFC 4514 §2.1). The same
    /// names in another order are another subject (RFC 5280 §7.1).
    pub(super) fn matches(&self, subject: &Name) -> bool {
        is_same_sequence(self.0.iter().rev(), subject)
    }

    /// Like `matches`, for a string in the order of the certificate.
    pub(super) fn matches_in_order(&self, subject: &Name) -> bool {
        is_same_sequence(self.0.iter(), subject)
    }
}

fn is_same_sequence<'a>(
    registered: impl ExactSizeIterator<Item = &'a Vec<Attribute>>,
    subject: &Name,
) -> bool {
    registered.len() == subject.len()
        && registered
            .zip(subject.iter_rdn())
            .all(|(registered, shown)| is_same_set(registered, shown))
}

/// Whether two relative names are equal as sets.
fn is_same_set(registered: &[Attribute], shown: &RelativeDistinguishedName) -> bool {
    let is_shown = |attribute: &Attribute| shown.iter().any(|shown| attribute.matches(shown));
    let is_registered = |shown| registered.iter().any(|attribute| attribute.matches(shown));
    registered.len() == shown.len()
        && registered.iter().all(is_shown)
        && shown.iter().all(is_registered)
}

impl Attribute {
    fn of_text(oid: ObjectIdentifier, text: &str) -> Option<Self> {
        let value = if attribute::ignores_case(oid) {
            Value::Folded(text::folded(text)?)
        } else {
            Value::Exact(text::checked(text)?.to_owned())
        };
        Some(Self { oid, value })
    }

    fn of_der(oid: ObjectIdentifier, value: Any) -> Option<Self> {
        match text::of_any(&value) {
            Some(text) if attribute::ignores_case(oid) => Self::of_text(oid, &text),
            _ => Some(Self {
                oid,
                value: Value::Der(value),
            }),
        }
    }

    fn matches(&self, shown: &AttributeTypeAndValue) -> bool {
        let shown_text = || text::of_any(&shown.value);
        self.oid == shown.oid
            && match &self.value {
                Value::Folded(text) => {
                    shown_text().and_then(|shown| text::folded(&shown)).as_ref() == Some(text)
                }
                Value::Exact(text) => {
                    shown_text().as_deref().and_then(text::checked) == Some(text.as_str())
                }
                Value::Der(value) => *value == shown.value,
            }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use proptest::prelude::*;

    use super::*;

    fn parsed(written: &str) -> DistinguishedName {
        DistinguishedName::parse(written).unwrap_or_else(|reason| panic!("{written}: {reason}"))
    }

    fn is_equal(one: &str, other: &str) -> bool {
        parsed(one) == parsed(other)
    }

    #[test]
    fn equivalent_spellings_are_equal() {
        for (one, other) in [
            ("CN=a,O=b", "cn=A , o = b"),
            ("CN=a", "2.5.4.3=a"),
            ("CN=a", "commonName=a"),
            ("CN=a", "OID.2.5.4.3=a"),
            ("O=a + CN=b", "oid.2.5.4.10=a + Oid.2.5.4.3 = b"),
            ("CN=Lu\u{10d}i\u{107}", r"CN=Lu\C4\8Di\C4\87"),
            (r"CN=Smith\, John", r"CN=Smith\2C John"),
            (r"CN=Smith\, John", r#"CN="Smith, John""#),
            (r#"CN="say \"hi\"""#, r"CN=say \22hi\22"),
            ("CN=a", "CN=#0C0161"),
            ("CN=a", "CN=#130161"),
            ("CN=a=b", r"CN=a\=b"),
            (r"CN=\#a", r"CN=\23a"),
            ("CN=a  b ", r"CN=\ a b\ "),
            ("1.2.3.4=a ", "1.2.3.4=a"),
        ] {
            assert!(is_equal(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn different_names_are_not_equal() {
        for (one, other) in [
            ("CN=a,O=b", "CN=a,OU=b"),
            ("CN=a,O=b", "CN=a+O=b"),
            (r"CN=a\,O=b", "CN=a,O=b"),
            ("CN=a", "CN=#040161"),
            ("1.2.3.4=a", "1.2.3.4=A"),
            ("1.2.3.4=a", "1.2.3.4=#0C0161"),
            (r"1.2.3.4=a\ ", "1.2.3.4=a"),
        ] {
            assert!(!is_equal(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn malformed_name_is_refused() {
        for written in [
            "",
            " ",
            "a",
            "=a",
            "CN=",
            "CN= ",
            "CN=a,",
            "CN=a+",
            ",CN=a",
            "CN=a,,O=b",
            "XX=a",
            "CN=a;O=b",
            "CN=a\"b",
            "CN=<a>",
            r"CN=a\",
            r"CN=a\4",
            r"CN=a\zz",
            r"CN=\FF",
            r"CN=\00",
            "CN=a\nb",
            "CN=\"a",
            "CN=\"a\"b",
            "CN=#",
            "CN=#0",
            "CN=#0C02",
            "CN=#0C0161zz",
            "CN=#0C016161",
            "OID.=a",
            "OID.CN=a",
            "OID2.5.4.3=a",
            "OID.OID.2.5.4.3=a",
            "CN.2.5.4.3=a",
            "2.5.4.=a",
            "3.1=a",
            "CN=a+CN=A",
        ] {
            assert!(DistinguishedName::parse(written).is_err(), "{written:?}");
        }
        assert!(DistinguishedName::parse(&format!("CN={}", "a".repeat(4096))).is_err());
    }

    #[test]
    fn last_relative_name_of_the_certificate_is_written_first() {
        let subject = Name::from_str("CN=a,OU=b,O=c").unwrap();

        let (rfc4514, certificate) = (parsed("CN=a,OU=b,O=c"), parsed("O=c,OU=b,CN=a"));
        assert!(rfc4514.matches(&subject) && !rfc4514.matches_in_order(&subject));
        assert!(certificate.matches_in_order(&subject) && !certificate.matches(&subject));
        for written in [
            "OU=b,CN=a,O=c",
            "CN=a,OU=b",
            "CN=a,OU=b,O=c,C=d",
            "CN=a,OU=b,O=x",
        ] {
            let name = parsed(written);
            assert!(!name.matches(&subject), "{written}");
            assert!(!name.matches_in_order(&subject), "{written}");
        }
    }

    #[test]
    fn attributes_of_a_relative_name_are_a_set() {
        let subject = Name::from_str("CN=a+UID=1,O=c").unwrap();

        assert!(parsed("uid=1 + cn=A, o=c").matches(&subject));
        for written in [
            "CN=a,O=c",
            "CN=a+UID=2,O=c",
            "CN=a,UID=1,O=c",
            "CN=a+UID=1+OU=x,O=c",
        ] {
            assert!(!parsed(written).matches(&subject), "{written}");
        }
    }

    #[test]
    fn unknown_attribute_types_are_compared_exactly() {
        let subject = Name::from_str("1.2.3.4=Ab,CN=x").unwrap();

        assert!(parsed("1.2.3.4=Ab,CN=X").matches(&subject));
        assert!(parsed("1.2.3.4=#0C024162,CN=X").matches(&subject));
        // Of another case, or another type of string.
        for written in [
            "1.2.3.4=ab,CN=x",
            "1.2.3.4=#13024162,CN=x",
            "1.2.3.5=Ab,CN=x",
        ] {
            assert!(!parsed(written).matches(&subject), "{written}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(written in any::<String>()) {
            let _ = DistinguishedName::parse(&written);
        }

        #[test]
        fn no_almost_valid_name_makes_the_parser_panic(written in r#"(CN|1\.2|OU)?=?#?["\\ ,+=;a-f0-9é]{0,12}"#) {
            let _ = DistinguishedName::parse(&written);
        }

        #[test]
        fn every_escaped_text_is_read_back(text in "[^\\p{Cc}\u{fffd}]*[a-z]") {
            let bytes = text.bytes().map(|byte| format!("\\{byte:02x}"));
            let escaped = bytes.collect::<Vec<_>>().concat();
            let Attribute { value, .. } = &parsed(&format!("1.2.3.4={escaped}")).0[0][0];
            prop_assert_eq!(value, &Value::Exact(text));
        }
    }
}
