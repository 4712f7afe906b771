//! Subjects of certificates, over TLS (RFC 8705 §2.1.2).

use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, SanType, string::PrintableString,
};
use serde_json::json;
use tower_revocation::client::Refusal;

use crate::{
    authority::{common_name, for_client},
    certificate::{CA, as_mt, billing, is_refused, mt, offering, serve},
    fixture::{registry, with},
};

/// The status for a client with this registration and this certificate.
async fn status(member: &str, value: &str, params: &CertificateParams) -> u16 {
    let clients = registry(&mt(&format!("tls_client_auth_{member}"), value));
    let mut server = serve(offering(clients)).await;
    let response = server.ask(Some(&CA.issue(params)), as_mt()).await;
    match response.status.as_u16() {
        200 => {}
        _ => is_refused(&response, Refusal::WrongCertificate),
    }
    response.status.as_u16()
}

#[tokio::test]
async fn equivalent_spellings_of_a_subject_match() {
    // RFC 4514, RFC 4517 §4.2.15.
    let params = for_client(billing());
    for written in [
        "cn=BILLING  service , o=\"example, inc.\" , c=us",
        "2.5.4.3=Billing Service,2.5.4.10=Example\\2C Inc.,2.5.4.6=US",
        "OID.2.5.4.3=Billing Service,OID.2.5.4.10=Example\\, Inc.,countryName=US",
    ] {
        assert_eq!(
            status("subject_dn", written, &params).await,
            200,
            "{written}"
        );
    }
    for other in [
        "CN=Billing Service,O=Example\\, Inc.",
        "CN=Billing Service,O=Example Inc.,C=US",
        "CN=Billing Service,OU=Example\\, Inc.,C=US",
        "CN=Billing Service+O=Example\\, Inc.,C=US",
        "C=US,O=Example\\, Inc.,CN=Billing Service",
    ] {
        assert_eq!(status("subject_dn", other, &params).await, 401, "{other}");
    }
}

#[tokio::test]
async fn registration_may_accept_the_order_of_the_certificate() {
    let written = "C=US,O=Example\\, Inc.,CN=Billing Service";
    for (either, status) in [(json!(true), 200), (json!(false), 401), (json!(null), 401)] {
        let client = with(
            mt("tls_client_auth_subject_dn", written),
            &json!({ "tls_client_auth_subject_dn_in_either_order": either }),
        );
        let mut server = serve(offering(registry(&client))).await;
        let identity = CA.issue(&for_client(billing()));
        let response = server.ask(Some(&identity), as_mt()).await;
        assert_eq!(response.status, status, "{either}");
    }
}

#[tokio::test]
async fn string_type_in_the_subject_does_not_matter() {
    // RFC 5280 §7.1.
    let mut subject = DistinguishedName::new();
    let printable = PrintableString::try_from("Billing   Service").unwrap();
    subject.push(DnType::CommonName, DnValue::PrintableString(printable));
    let params = for_client(subject);
    assert_eq!(
        status("subject_dn", "CN=billing service", &params).await,
        200
    );
}

#[tokio::test]
async fn alternative_names_are_compared_by_the_rules_of_their_kind() {
    let dns = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let uri = |name: &str| SanType::URI(name.try_into().unwrap());
    let email = |name: &str| SanType::Rfc822Name(name.try_into().unwrap());
    let ip = |name: &str| SanType::IpAddress(name.parse().unwrap());
    let cases = [
        ("san_dns", "client.example", dns("CLIENT.EXAMPLE"), 200),
        ("san_dns", "client.example", dns("*.example"), 401),
        ("san_dns", "client.example", dns("client.example.evil"), 401),
        (
            "san_dns",
            "client.example",
            uri("client:client.example"),
            401,
        ),
        ("san_uri", "urn:client:1", uri("urn:client:1"), 200),
        ("san_uri", "urn:client:1", uri("URN:client:1"), 401),
        ("san_ip", "2001:DB8:0::1", ip("2001:db8::1"), 200),
        ("san_ip", "192.0.2.1", ip("192.0.2.1"), 200),
        ("san_ip", "192.0.2.1", ip("::ffff:192.0.2.1"), 401),
        ("san_ip", "::ffff:192.0.2.1", ip("192.0.2.1"), 401),
        (
            "san_email",
            "Jane@example.com",
            email("Jane@Example.com"),
            200,
        ),
        (
            "san_email",
            "Jane@example.com",
            email("jane@example.com"),
            401,
        ),
    ];
    for (member, registered, shown, expected) in cases {
        let mut params = for_client(DistinguishedName::new());
        params.subject_alt_names = vec![shown.clone()];
        let status = status(member, registered, &params).await;
        assert_eq!(status, expected, "{member}={registered} {shown:?}");
    }
}

#[tokio::test]
async fn common_name_does_not_replace_an_alternative_name() {
    let params = for_client(common_name("client.example"));
    assert_eq!(status("san_dns", "client.example", &params).await, 401);
}

#[tokio::test]
async fn nul_does_not_end_a_name() {
    for shown in ["client.example\0.evil", "client.example\0"] {
        let mut params = for_client(DistinguishedName::new());
        params.subject_alt_names = vec![SanType::DnsName(shown.try_into().unwrap())];
        assert_eq!(status("san_dns", "client.example", &params).await, 401);
    }
    let params = for_client(common_name("Billing\0 Service"));
    assert_eq!(status("subject_dn", "CN=Billing", &params).await, 401);
}
