//! Is this certificate one that the client registered itself (RFC 8705 §2.2)?

use x509_cert::{
    Certificate,
    der::{Decode as _, asn1::ObjectIdentifier},
};

use super::ClientCertificate;
use crate::jose::{Jwk, KeySet, Kind};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

impl ClientCertificate {
    /// Whether it is a certificate of these keys, or has one of them for its own.
    ///
    /// The handshake has proven that the peer has the key, and that is all there is to prove:
    /// neither the chain nor the dates say anything about a certificate that anybody could write.
    pub(crate) fn is_registered(&self, keys: &KeySet) -> bool {
        keys.iter().any(|key| {
            key.x5c().first().is_some_and(|x5c| x5c == self.der())
                || key.x5t_s256() == Some(&self.thumbprint())
                || has_key(self.x509(), key)
        })
    }
}

/// Whether the certificate in `x5c`, if there is one, has the key itself (RFC 7517 §4.7).
pub(crate) fn fits_x5c(key: &Jwk) -> bool {
    key.x5c().first().is_none_or(|der| {
        Certificate::from_der(der).is_ok_and(|certificate| has_key(&certificate, key))
    })
}

fn has_key(certificate: &Certificate, key: &Jwk) -> bool {
    let info = certificate.tbs_certificate().subject_public_key_info();
    let (algorithm, curve) = match key.kind() {
        Kind::Rsa => (RSA, None),
        Kind::P256 => (EC, Some(P256)),
        Kind::P384 => (EC, Some(P384)),
        Kind::P521 => (EC, Some(P521)),
        Kind::Ed25519 => (ED25519, None),
    };
    let parameters = info.algorithm.parameters.as_ref();
    info.algorithm.oid == algorithm
        && curve.is_none_or(|curve| parameters.and_then(|any| any.decode_as().ok()) == Some(curve))
        && info.subject_public_key.as_bytes() == Some(key.subject_public_key())
}
