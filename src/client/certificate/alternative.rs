//! The names in subjectAltName (RFC 5280 §4.2.1.6).

use x509_cert::{
    Certificate,
    der::{Decode as _, Tag, asn1::AnyRef, oid::ObjectIdentifier},
};

use super::InvalidCertificate;

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// A name that a client can be registered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AlternativeName {
    Dns(String),
    Uri(String),
    Email(String),
    Ip(Vec<u8>),
}

/// All names, without those that contain a NUL, a space or a non-ASCII character: no client is
/// registered with such a name.
pub(super) fn names(certificate: &Certificate) -> Result<Vec<AlternativeName>, InvalidCertificate> {
    let extensions = certificate.tbs_certificate().extensions();
    let mut found = extensions
        .into_iter()
        .flatten()
        .filter(|extension| extension.extn_id == SUBJECT_ALT_NAME);
    let Some(extension) = found.next() else {
        return Ok(Vec::new());
    };
    // RFC 5280 §4.2: an extension occurs at most once.
    if found.next().is_some() {
        return Err(InvalidCertificate::ALTERNATIVES);
    }
    // Parsed one by one, so that a name of an unknown kind does not hide the others.
    let names = Vec::<AnyRef<'_>>::from_der(extension.extn_value.as_bytes())
        .map_err(|_| InvalidCertificate::ALTERNATIVES)?;
    Ok(names.into_iter().filter_map(name).collect())
}

fn name(any: AnyRef<'_>) -> Option<AlternativeName> {
    let Tag::ContextSpecific {
        constructed: false,
        number,
    } = x509_cert::der::Tagged::tag(&any)
    else {
        return None;
    };
    match number.value() {
        1 => text(any.value()).map(AlternativeName::Email),
        2 => text(any.value()).map(AlternativeName::Dns),
        6 => text(any.value()).map(AlternativeName::Uri),
        7 => Some(AlternativeName::Ip(any.value().to_vec())),
        _ => None,
    }
}

/// An `IA5String` without control characters and spaces.
fn text(bytes: &[u8]) -> Option<String> {
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    String::from_utf8(bytes.to_vec()).ok()
}
