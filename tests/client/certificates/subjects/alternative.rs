//! Alternative names (RFC 5280 §4.2.1.6).

use rcgen::{CustomExtension, DnType, SanType};
use tower_revocation::client::certificate::{CertificateSubject, ClientCertificate};

use crate::certificates::verified;

use super::{dns, named, text, with};

#[test]
fn hosts_ignore_case() {
    let subject = CertificateSubject::san_dns("client.example").unwrap();

    assert!(subject.matches(&with([dns("CLIENT.EXAMPLE")])));
    assert!(subject.matches(&with([dns("other.example"), dns("client.example")])));
    assert!(!subject.matches(&with([dns("other.example")])));
    assert!(!subject.matches(&with([dns("client.example.evil")])));
}

#[test]
fn wildcard_is_not_a_host() {
    let subject = CertificateSubject::san_dns("client.example").unwrap();

    assert!(!subject.matches(&with([dns("*.example")])));
    assert!(CertificateSubject::san_dns("*.example").is_err());
}

#[test]
fn nul_does_not_end_a_host() {
    let subject = CertificateSubject::san_dns("client.example").unwrap();

    assert!(!subject.matches(&with([dns("client.example\0.evil")])));
    assert!(!subject.matches(&with([dns("client.example\0")])));
}

#[test]
fn common_name_is_not_a_host() {
    let subject = CertificateSubject::san_dns("client.example").unwrap();

    assert!(!subject.matches(&named([(DnType::CommonName, "client.example".into())])));
}

#[test]
fn kinds_of_names_are_not_mixed() {
    let uri = SanType::URI(text("urn:client"));
    let email = SanType::Rfc822Name(text("urn:client"));

    let subject = CertificateSubject::san_uri("urn:client").unwrap();
    assert!(subject.matches(&with([email.clone(), uri])));
    assert!(!subject.matches(&with([email, dns("urn:client")])));
}

#[test]
fn uris_are_compared_character_by_character() {
    let subject = CertificateSubject::san_uri("https://client.example/a").unwrap();

    assert!(subject.matches(&with([SanType::URI(text("https://client.example/a"))])));
    for other in [
        "https://CLIENT.example/a",
        "https://client.example/%61",
        "https://client.example/a/",
    ] {
        assert!(
            !subject.matches(&with([SanType::URI(text(other))])),
            "{other}"
        );
    }
}

#[test]
fn ip_addresses_are_compared_byte_by_byte() {
    let ip = |address: &str| with([SanType::IpAddress(address.parse().unwrap())]);
    let v6 = CertificateSubject::san_ip("2001:DB8:0::1").unwrap();
    let v4 = CertificateSubject::san_ip("1.2.3.4").unwrap();

    assert!(v6.matches(&ip("2001:db8::1")));
    assert!(v4.matches(&ip("1.2.3.4")));
    assert!(!v4.matches(&ip("::ffff:1.2.3.4")));
    assert!(
        !CertificateSubject::san_ip("::ffff:1.2.3.4")
            .unwrap()
            .matches(&ip("1.2.3.4"))
    );
    assert!(!v4.matches(&with([dns("1.2.3.4")])));
}

#[test]
fn email_host_ignores_case_and_the_mailbox_does_not() {
    // RFC 5280 §7.5.
    let subject = CertificateSubject::san_email("Jane@example.com").unwrap();

    assert!(subject.matches(&with([SanType::Rfc822Name(text("Jane@Example.com"))])));
    for other in [
        "jane@example.com",
        "Jane@example.com.evil",
        "example.com",
        "x@Jane@example.com",
    ] {
        assert!(
            !subject.matches(&with([SanType::Rfc822Name(text(other))])),
            "{other}"
        );
    }
}

#[test]
fn duplicate_alternative_names_extension_matches_nothing() {
    // RFC 5280 §4.2: an extension occurs once. Two could be interpreted in two ways.
    let extension =
        CustomExtension::from_oid_content(&[2, 5, 29, 17], b"\x30\x03\x82\x01a".to_vec());
    let broken = CustomExtension::from_oid_content(&[2, 5, 29, 17], b"\x30\x03\x82\x02a".to_vec());
    let made = |extensions: &[&CustomExtension]| {
        let mut params = rcgen::CertificateParams::default();
        params.custom_extensions = extensions.iter().copied().cloned().collect();
        let key = rcgen::KeyPair::generate().unwrap();
        ClientCertificate::verified(params.self_signed(&key).unwrap().der().to_vec())
    };

    assert!(
        CertificateSubject::san_dns("a")
            .unwrap()
            .matches(&made(&[&extension]).unwrap())
    );
    assert!(made(&[&extension, &extension]).is_err());
    assert!(made(&[&broken]).is_err());
}

#[test]
fn names_of_unknown_kinds_do_not_hide_the_others() {
    // An x400Address, which few parsers support, and a dNSName.
    let names = b"\x30\x07\xa3\x02\x30\x00\x82\x01a".to_vec();
    let mut params = rcgen::CertificateParams::default();
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], names)];
    let key = rcgen::KeyPair::generate().unwrap();
    let shown = verified(params.self_signed(&key).unwrap().der());

    assert!(CertificateSubject::san_dns("a").unwrap().matches(&shown));
}
