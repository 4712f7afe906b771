//! Compares a certificate and its key with registered ones (RFC 8705 §2.2).

use x509_cert::der::Encode as _;

use super::ClientCertificate;
use crate::jose::{Jwk, KeySet};

/// Whether one of these keys lists the certificate, or is its key. Dates and chains are ignored.
pub(crate) fn registered(certificate: &ClientCertificate, keys: &KeySet) -> bool {
    keys.iter().any(|key| {
        key.certificate() == Some(certificate.der())
            || key.x5t_s256() == Some(&certificate.thumbprint())
            || has_key(certificate, key)
    })
}

/// Whether the first certificate in `x5c`, if any, has this key (RFC 7517 §4.7).
pub(crate) fn x5c_matches(key: &Jwk) -> bool {
    key.certificate().is_none_or(|own| {
        ClientCertificate::unverified(own).is_ok_and(|certificate| has_key(&certificate, key))
    })
}

/// Whether the certificate has this key: equal bytes, algorithm and curve.
fn has_key(certificate: &ClientCertificate, key: &Jwk) -> bool {
    let info = certificate
        .x509()
        .tbs_certificate()
        .subject_public_key_info();
    info.to_der()
        .is_ok_and(|info| info == key.subject_public_key_info())
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine as _,
        prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
    };
    use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
    use serde_json::{Value, json};
    use x509_cert::der::{Decode as _, asn1::UintRef};

    use super::*;

    fn certificate(key: &KeyPair) -> ClientCertificate {
        // Expired: dates are ignored.
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        let der = params.self_signed(key).unwrap().der().to_vec();
        ClientCertificate::unverified(der).unwrap()
    }

    /// The JWK of a key, with one more member.
    fn written(key: &KeyPair, name: &str, member: Value) -> Value {
        let url = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let bytes = key.der_bytes();
        let curve = |name: &str| {
            let (x, y) = bytes[1..].split_at(bytes.len() / 2);
            json!({ "kty": "EC", "crv": name, "x": url(x), "y": url(y) })
        };
        let mut jwk = match bytes.len() {
            32 => json!({ "kty": "OKP", "crv": "Ed25519", "x": url(bytes) }),
            65 => curve("P-256"),
            97 => curve("P-384"),
            133 => curve("P-521"),
            _ => {
                let numbers = Vec::<UintRef<'_>>::from_der(bytes).unwrap();
                json!({ "kty": "RSA", "n": url(numbers[0].as_bytes()), "e": url(numbers[1].as_bytes()) })
            }
        };
        jwk[name] = member;
        jwk
    }

    fn jwk(key: &KeyPair, name: &str, member: Value) -> Jwk {
        Jwk::from_json(&written(key, name, member).to_string()).unwrap()
    }

    fn set(key: &KeyPair, name: &str, member: Value) -> KeySet {
        KeySet::from_json(&json!({ "keys": [written(key, name, member)] }).to_string()).unwrap()
    }

    #[test]
    fn every_kind_of_key_is_recognised() {
        for algorithm in [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ECDSA_P521_SHA512,
            &rcgen::PKCS_ED25519,
            &rcgen::PKCS_RSA_SHA256,
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let other = KeyPair::generate_for(algorithm).unwrap();
            let jwk = jwk(&key, "kid", json!("1"));
            assert!(has_key(&certificate(&key), &jwk), "{algorithm:?}");
            assert!(!has_key(&certificate(&other), &jwk), "{algorithm:?}");
        }
    }

    #[test]
    fn certificate_is_registered_by_key_certificate_or_digest() {
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let shown = certificate(&key);
        let x5c =
            |certificate: &ClientCertificate| json!([BASE64_STANDARD.encode(certificate.der())]);
        let x5t = |certificate: &ClientCertificate| {
            json!(BASE64_URL_SAFE_NO_PAD.encode(certificate.thumbprint()))
        };

        assert!(registered(&shown, &set(&key, "kid", json!("1"))));
        assert!(registered(&shown, &set(&other, "x5c", x5c(&shown))));
        assert!(registered(&shown, &set(&other, "x5t#S256", x5t(&shown))));
        let stranger = certificate(&KeyPair::generate().unwrap());
        assert!(!registered(&stranger, &set(&key, "x5c", x5c(&shown))));
        assert!(!registered(&stranger, &set(&key, "x5t#S256", x5t(&shown))));
    }

    #[test]
    fn x5c_of_another_key_is_refused() {
        // RFC 7517 §4.7.
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let x5c = |key| json!([BASE64_STANDARD.encode(certificate(key).der())]);

        assert!(x5c_matches(&jwk(&key, "x5c", x5c(&key))));
        assert!(x5c_matches(&jwk(&key, "kid", json!("1"))), "there is none");
        assert!(!x5c_matches(&jwk(&key, "x5c", x5c(&other))));
        assert!(!x5c_matches(&jwk(
            &key,
            "x5c",
            json!([BASE64_STANDARD.encode("no certificate")])
        )));
    }
}
