//! What else is the subject called? The names of subjectAltName (RFC 5280 §4.2.1.6).

use x509_cert::{
    Certificate,
    der::{Decode as _, Tag, asn1::AnyRef, oid::ObjectIdentifier},
};

use super::InvalidCertificate;

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// One of the names that a client can be registered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AlternativeName {
    Dns(String),
    Uri(String),
    Email(String),
    Ip(Vec<u8>),
}

/// All of them, and none that is not plain text: a NUL, a space or a letter beyond ASCII makes a
/// name that nobody is registered by.
pub(super) fn names(certificate: &Certificate) -> Result<Vec<AlternativeName>, InvalidCertificate> {
    let extensions = certificate.tbs_certificate().extensions();
    let mut found = extensions
        .into_iter()
        .flatten()
        .filter(|extension| extension.extn_id == SUBJECT_ALT_NAME);
    let Some(extension) = found.next() else {
        return Ok(Vec::new());
    };
    // RFC 5280 §4.2: not more than one of a kind.
    if found.next().is_some() {
        return Err(InvalidCertificate::ALTERNATIVES);
    }
    // Read one by one, because a name of a kind that we do not know is no reason to refuse the
    // rest.
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

/// An `IA5String` without controls and spaces, none of which these names can have.
fn text(bytes: &[u8]) -> Option<String> {
    if !bytes.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    String::from_utf8(bytes.to_vec()).ok()
}
