//! Comparison of subjects and alternative names (RFC 8705 §2.1).

mod alternative;

use rcgen::{
    CustomExtension, DistinguishedName, DnType, DnValue, SanType,
    string::{BmpString, Ia5String, PrintableString, TeletexString},
};
use sha2::{Digest as _, Sha256};
use tower_revocation::client::certificate::{CertificateSubject, ClientCertificate};

use super::{certificate, verified};

fn named(attributes: impl IntoIterator<Item = (DnType, DnValue)>) -> ClientCertificate {
    let mut name = DistinguishedName::new();
    for (kind, value) in attributes {
        name.push(kind, value);
    }
    verified(&certificate(name, Vec::new()))
}

fn with(alternatives: impl IntoIterator<Item = SanType>) -> ClientCertificate {
    let alternatives = alternatives.into_iter().collect();
    verified(&certificate(DistinguishedName::new(), alternatives))
}

fn text(text: &str) -> Ia5String {
    text.try_into().unwrap()
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(text(name))
}

fn is(registered: &str, certificate: &ClientCertificate) -> bool {
    CertificateSubject::subject_dn(registered)
        .unwrap()
        .matches(certificate)
}

#[test]
fn subjects_are_compared_by_meaning() {
    // RFC 4517 §4.2.15: distinguishedNameMatch.
    let shown = named([
        (DnType::OrganizationName, "b".into()),
        (DnType::CommonName, "a".into()),
    ]);

    assert!(is("cn=A , o=b", &shown));
    assert!(is("2.5.4.3=#0C0141, 2.5.4.10=\"b\"", &shown));
    for other in [
        "O=b,CN=a",
        "CN=a",
        "O=b",
        "CN=a,O=c",
        "CN=a+O=b",
        "CN=a\\,O=b",
        "CN=b,O=a",
    ] {
        assert!(!is(other, &shown), "{other}");
    }
}

#[test]
fn order_of_relative_names_matters() {
    // RFC 5280 §7.1, RFC 4514 §2.1.
    let of = |types: &[(DnType, &str)]| {
        let types = types.iter().cloned();
        named(types.map(|(kind, value)| (kind, value.into())))
    };
    let shown = of(&[
        (DnType::CountryName, "BR"),
        (DnType::OrganizationName, "Banco"),
        (DnType::CommonName, "a"),
    ]);
    let reversed = of(&[
        (DnType::CommonName, "a"),
        (DnType::OrganizationName, "Banco"),
        (DnType::CountryName, "BR"),
    ]);
    let rfc4514 = CertificateSubject::subject_dn("CN=a,O=Banco,C=BR").unwrap();
    assert!(rfc4514.matches(&shown) && !rfc4514.matches(&reversed));
    let certificate = CertificateSubject::subject_dn("C=BR,O=Banco,CN=a").unwrap();
    assert!(!certificate.matches(&shown) && certificate.matches(&reversed));

    for subject in [rfc4514.in_either_order(), certificate.in_either_order()] {
        assert!(subject.matches(&shown) && subject.matches(&reversed));
        let shuffled = of(&[
            (DnType::OrganizationName, "Banco"),
            (DnType::CountryName, "BR"),
            (DnType::CommonName, "a"),
        ]);
        assert!(!subject.matches(&shuffled));
        let shorter = of(&[(DnType::CountryName, "BR"), (DnType::CommonName, "a")]);
        assert!(!subject.matches(&shorter));
    }
    // A single relative name is the same in both orders.
    assert!(is("CN=a", &of(&[(DnType::CommonName, "a")])));
}

#[test]
fn keywords_of_certificate_profiles_are_known_short_and_long() {
    let evaluated =
        |oid: &[u64], value: &str| named([(DnType::CustomDnType(oid.to_vec()), value.into())]);
    let cases: &[(&[u64], &[&str])] = &[
        (
            &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3],
            &[
                "jurisdictionCountryName",
                "jurisdictionC",
                "JURISDICTIONCOUNTRYNAME",
                "jurisdictionOfIncorporationCountryName",
            ],
        ),
        (
            &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 2],
            &[
                "jurisdictionStateOrProvinceName",
                "jurisdictionST",
                "jurisdictionOfIncorporationStateOrProvinceName",
            ],
        ),
        (
            &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 1],
            &["jurisdictionLocalityName", "jurisdictionL"],
        ),
        (&[2, 5, 4, 97], &["organizationIdentifier", "2.5.4.97"]),
        (&[2, 5, 4, 15], &["businessCategory", "BusinessCategory"]),
        (&[2, 5, 4, 5], &["serialNumber", "SERIALNUMBER"]),
        (&[2, 5, 4, 8], &["ST", "S", "stateOrProvinceName"]),
        (&[2, 5, 4, 12], &["T", "title"]),
        (&[2, 5, 4, 42], &["GN", "G", "givenName", "GIVENNAME"]),
        (&[2, 5, 4, 46], &["dnQualifier", "DNQ"]),
        (&[2, 5, 4, 9], &["street", "streetAddress"]),
        (&[2, 5, 4, 17], &["postalCode"]),
        (&[0, 9, 2342, 19_200_300, 100, 1, 1], &["UID", "userid"]),
        (
            &[1, 2, 840, 113_549, 1, 9, 1],
            &["E", "EMAIL", "emailAddress", "EMAILADDRESS"],
        ),
    ];
    for (oid, keywords) in cases {
        let shown = evaluated(oid, "Zb");
        let dotted: Vec<_> = oid.iter().map(u64::to_string).collect();
        let dotted = dotted.join(".");
        let dotted = [
            dotted.clone(),
            format!("OID.{dotted}"),
            format!("oid.{dotted}"),
        ];
        for keyword in keywords
            .iter()
            .copied()
            .chain(dotted.iter().map(String::as_str))
        {
            assert!(is(&format!("{keyword}=zB"), &shown), "{keyword}");
            assert!(!is(&format!("{keyword}=zC"), &shown), "{keyword}");
            let elsewhere = evaluated(&[2, 5, 4, 13], "Zb");
            assert!(!is(&format!("{keyword}=zB"), &elsewhere), "{keyword}");
        }
    }
}

#[test]
fn string_types_are_equivalent() {
    // RFC 5280 §7.1.
    let values: [(DnValue, &str); 5] = [
        (DnValue::Utf8String("Acme   Zoë".to_owned()), "CN=acme zoë"),
        (
            DnValue::BmpString(BmpString::try_from("Acme Zoë").unwrap()),
            "CN=ACME ZOË",
        ),
        (
            DnValue::PrintableString(PrintableString::try_from("Acme Zoe").unwrap()),
            "CN=acme zoe",
        ),
        (DnValue::Ia5String(text(" Acme Zoe ")), "CN=acme  zoe"),
        (
            DnValue::TeletexString(TeletexString::try_from("Acme Zoe").unwrap()),
            "CN=Acme Zoe",
        ),
    ];
    for (value, registered) in values {
        let shown = named([(DnType::CommonName, value.clone())]);
        assert!(is(registered, &shown), "{value:?}");
        assert!(!is("CN=acme", &shown), "{value:?}");
    }
}

#[test]
fn subject_with_a_nul_matches_nothing() {
    let shown = named([(DnType::CommonName, "a\0b".into())]);

    for registered in ["CN=a", "CN=ab", "CN=a b"] {
        assert!(!is(registered, &shown), "{registered}");
    }
    assert!(CertificateSubject::subject_dn("CN=a\\00b").is_err());
}

#[test]
fn email_and_domains_in_a_subject_ignore_case() {
    let email = DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]);
    let domain = DnType::CustomDnType(vec![0, 9, 2342, 19_200_300, 100, 1, 25]);
    let shown = named([
        (domain, DnValue::Ia5String(text("Example"))),
        (email, DnValue::Ia5String(text("Jane@Example.com"))),
    ]);

    assert!(is("emailAddress=jane@example.COM,DC=example", &shown));
    assert!(is(
        "E=JANE@example.com,0.9.2342.19200300.100.1.25=EXAMPLE",
        &shown
    ));
}

#[test]
fn subject_that_never_matches_is_refused() {
    for host in [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "-a.b",
        "a b",
        "käse.example",
        "1.2.3.4",
        "a\0",
        &"a".repeat(64),
    ] {
        assert!(CertificateSubject::san_dns(host).is_err(), "{host:?}");
    }
    for uri in ["", "client", ":a", "1a:b", "urn:a b", "urn:ä", "a\0:b"] {
        assert!(CertificateSubject::san_uri(uri).is_err(), "{uri:?}");
    }
    for ip in [
        "",
        "1.2.3",
        "1.2.3.4/32",
        "01.2.3.4",
        "fe80::1%eth0",
        "[::1]",
        "2001:db8::1 ",
    ] {
        assert!(CertificateSubject::san_ip(ip).is_err(), "{ip:?}");
    }
    for email in [
        "",
        "jane",
        "@example.com",
        "jane@",
        "jane@*.com",
        "ja ne@example.com",
        "jäne@example.com",
    ] {
        assert!(CertificateSubject::san_email(email).is_err(), "{email:?}");
    }
}

#[test]
fn subject_states_its_parameter() {
    let subject = CertificateSubject::san_dns("Client.example").unwrap();

    assert_eq!(subject.parameter(), "tls_client_auth_san_dns");
    assert_eq!(subject.as_str(), "Client.example");
}

#[test]
fn exactly_one_whole_certificate_is_read() {
    let der = certificate(DistinguishedName::new(), vec![dns("client.example")]);
    let mut longer = der.clone();
    longer.push(0);

    assert!(ClientCertificate::verified(&der[..]).is_ok());
    for invalid in [
        &longer[..],
        &der[..der.len() - 1],
        &der[1..],
        b"",
        &vec![0x30; 20_000],
    ] {
        assert!(ClientCertificate::verified(invalid).is_err());
    }
}

#[test]
fn oversize_certificate_is_not_read() {
    let padded = |len| {
        let mut params = rcgen::CertificateParams::default();
        let extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![4; len]);
        params.custom_extensions.push(extension);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    };

    assert!(ClientCertificate::verified(padded(15_000)).is_ok());
    let error = ClientCertificate::verified(padded(ClientCertificate::MAX_LEN)).unwrap_err();
    assert_eq!(error.to_string(), "the certificate is longer than 16 KiB");
}

#[test]
fn debug_output_shows_only_the_thumbprint() {
    let der = certificate(DistinguishedName::new(), vec![dns("client.example")]);
    let shown = ClientCertificate::unverified(&der[..]).unwrap();

    assert_eq!(shown.thumbprint()[..], Sha256::digest(&der)[..]);
    assert_eq!(shown.der(), der);
    assert!(!shown.is_verified());
    let hex = shown
        .thumbprint()
        .map(|byte| format!("{byte:02x}"))
        .concat();
    assert_eq!(format!("{shown:?}"), format!("ClientCertificate({hex})"));
}
