//! Registrations of certificates that are refused, and the reasons (RFC 8705 §2.1.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    assertion_documents::{by_key, private_key_jwt, read, refused},
    authority::{Identity, common_name, for_client},
    fixture::{Key, with},
};

fn by_authority() -> Value {
    json!({
        "client_id": "mt",
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "client.example",
    })
}

fn x5c(of: &Key) -> Value {
    let identity = Identity::self_signed(&for_client(common_name("Self-made")), of.pair());
    json!({ "x5c": [STANDARD.encode(&identity.certificate)] })
}

#[test]
fn subject_must_be_given_exactly_once() {
    // RFC 8705 §2.1.2.
    let two = "client \"mt\": the subject of the certificate is given in two ways";
    for second in [
        json!({ "tls_client_auth_subject_dn": "CN=a" }),
        json!({ "tls_client_auth_san_uri": "urn:client" }),
        json!({ "tls_client_auth_san_ip": "192.0.2.1" }),
        json!({ "tls_client_auth_san_email": "a@client.example" }),
    ] {
        refused(&by_authority(), &second, two);
    }
    refused(
        &by_authority(),
        &json!({ "tls_client_auth_san_dns": null }),
        "client \"mt\": tls_client_auth needs the subject of the certificate",
    );
}

#[test]
fn impossible_subject_is_refused() {
    for (member, value, reason) in [
        ("san_ip", "192.0.2.256", "not an IP address"),
        ("san_ip", "192.0.2.0/24", "not an IP address"),
        (
            "san_uri",
            "client",
            "a URI must have a scheme and consist of visible ASCII characters",
        ),
        ("san_email", "jane", "an email address must have an `@`"),
        (
            "san_dns",
            "*.example",
            "a host name consists of ASCII letters, digits, hyphens and dots, without a wildcard or a final dot",
        ),
    ] {
        let changes = json!({
            "tls_client_auth_san_dns": null,
            format!("tls_client_auth_{member}"): value,
        });
        refused(
            &by_authority(),
            &changes,
            &format!("client \"mt\": {reason}"),
        );
    }
    for name in [
        "billing", "CN=", "CN=a,", "=a", "madeUp=a", "CN=a\\zz", "CN=#zz", "",
    ] {
        let changes = json!({
            "tls_client_auth_san_dns": null,
            "tls_client_auth_subject_dn": name,
        });
        let error = read(&with(by_authority(), &changes)).unwrap_err();
        assert_eq!(error.line(), 3, "{error}");
        assert!(error.to_string().contains(": client \"mt\": "), "{error}");
    }
}

#[test]
fn either_order_needs_a_distinguished_name() {
    let either = json!({ "tls_client_auth_subject_dn_in_either_order": true });
    refused(
        &by_authority(),
        &either,
        "client \"mt\": tls_client_auth_subject_dn_in_either_order needs tls_client_auth_subject_dn",
    );
    let neither = json!({ "tls_client_auth_subject_dn_in_either_order": false });
    read(&with(by_authority(), &neither)).unwrap();
}

#[test]
fn x5c_certificate_must_have_the_key_of_its_jwk() {
    // RFC 7517 §4.7.
    let (key, other) = (Key::ec(), Key::ec());
    read(&with(
        by_key(&key),
        &json!({ "jwks": key.jwks(&x5c(&key)) }),
    ))
    .unwrap();
    let of_another = json!({ "jwks": key.jwks(&x5c(&other)) });
    let reason = "the key of the certificate in x5c is not the key of the JWK";
    refused(
        &by_key(&key),
        &of_another,
        &format!("client \"ss\": {reason}"),
    );
    // For a client that signs, certificates do not matter.
    read(&with(private_key_jwt(), &of_another)).unwrap();
}
