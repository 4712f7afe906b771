//! Attribute types of distinguished names and their keywords.

use x509_cert::der::oid::ObjectIdentifier;

/// Types whose matching rule is caseIgnoreMatch, or a rule that differs from it only in spaces and
/// hyphens. They include the nine keywords of RFC 4514 §3, and the names used by OpenSSL, Java,
/// Bouncy Castle, Windows and the profiles of open banking.
///
/// `SN` is the surname, as in X.520 and OpenSSL. Bouncy Castle uses it for the serial number.
const KNOWN: &[(&[&str], ObjectIdentifier)] = &[
    (&["CN", "commonName"], oid("2.5.4.3")),
    (&["SN", "surname"], oid("2.5.4.4")),
    (&["serialNumber"], oid("2.5.4.5")),
    (&["C", "countryName"], oid("2.5.4.6")),
    (&["L", "localityName"], oid("2.5.4.7")),
    (&["ST", "S", "stateOrProvinceName"], oid("2.5.4.8")),
    (&["STREET", "streetAddress"], oid("2.5.4.9")),
    (&["O", "organizationName"], oid("2.5.4.10")),
    (&["OU", "organizationalUnitName"], oid("2.5.4.11")),
    (&["T", "title"], oid("2.5.4.12")),
    (&["description"], oid("2.5.4.13")),
    (&["businessCategory"], oid("2.5.4.15")),
    (&["postalAddress"], oid("2.5.4.16")),
    (&["postalCode"], oid("2.5.4.17")),
    (&["postOfficeBox", "POBox"], oid("2.5.4.18")),
    (&["telephoneNumber", "Phone"], oid("2.5.4.20")),
    (&["name"], oid("2.5.4.41")),
    (&["GN", "G", "givenName"], oid("2.5.4.42")),
    (&["I", "initials"], oid("2.5.4.43")),
    (&["GENERATION", "generationQualifier"], oid("2.5.4.44")),
    (&["DNQ", "dnQualifier"], oid("2.5.4.46")),
    (&["houseIdentifier"], oid("2.5.4.51")),
    (&["pseudonym"], oid("2.5.4.65")),
    (&["role"], oid("2.5.4.72")),
    (&["organizationIdentifier"], oid("2.5.4.97")),
    (&["UID", "userId"], oid("0.9.2342.19200300.100.1.1")),
    (
        &["DC", "domainComponent"],
        oid("0.9.2342.19200300.100.1.25"),
    ),
    (&["E", "EMAIL", "emailAddress"], oid("1.2.840.113549.1.9.1")),
    (&["unstructuredName"], oid("1.2.840.113549.1.9.2")),
    (&["unstructuredAddress"], oid("1.2.840.113549.1.9.8")),
    (
        &[
            "jurisdictionL",
            "jurisdictionLocalityName",
            "jurisdictionOfIncorporationLocalityName",
        ],
        oid("1.3.6.1.4.1.311.60.2.1.1"),
    ),
    (
        &[
            "jurisdictionST",
            "jurisdictionStateOrProvinceName",
            "jurisdictionOfIncorporationStateOrProvinceName",
        ],
        oid("1.3.6.1.4.1.311.60.2.1.2"),
    ),
    (
        &[
            "jurisdictionC",
            "jurisdictionCountryName",
            "jurisdictionOfIncorporationCountryName",
        ],
        oid("1.3.6.1.4.1.311.60.2.1.3"),
    ),
];

const fn oid(dotted: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(dotted)
}

/// Parses a keyword (case-insensitive) or a dotted OID. The prefix `OID.` is optional: Java writes
/// it, and RFC 2253 §4 requires accepting it.
pub(super) fn of_type(written: &str) -> Option<ObjectIdentifier> {
    if let Some((prefix, dotted)) = written.split_once('.') {
        if prefix.eq_ignore_ascii_case("OID") {
            return ObjectIdentifier::new(dotted).ok();
        }
    }
    if written.starts_with(|first: char| first.is_ascii_digit()) {
        return ObjectIdentifier::new(written).ok();
    }
    KNOWN
        .iter()
        .find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(written)))
        .map(|(_, oid)| *oid)
}

/// Whether values of this type are compared by caseIgnoreMatch.
pub(super) fn ignores_case(oid: ObjectIdentifier) -> bool {
    KNOWN.iter().any(|(_, known)| *known == oid)
}
