//! Client certificates: their subjects, and the proxies that forward them.

use rcgen::{CertificateParams, DistinguishedName, KeyPair, SanType};
use tower_revocation::client::certificate::ClientCertificate;

mod fields;
mod subjects;

/// A certificate with these names, self-signed.
fn certificate(subject: DistinguishedName, alternatives: Vec<SanType>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.subject_alt_names = alternatives;
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

fn verified(der: &[u8]) -> ClientCertificate {
    ClientCertificate::verified(der).unwrap()
}
