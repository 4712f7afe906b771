//! Clients with a self-signed certificate, over TLS (RFC 8705 §2.2).

use std::{sync::Arc, time::Duration};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rcgen::CertificateParams;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::{
    RootCertStore, crypto::aws_lc_rs, pki_types::UnixTime, server::WebPkiClientVerifier,
};
use tower_revocation::{
    client::{AuthMethod, Refusal, registry::Registry},
    jose::RemoteKeys,
};

use crate::{
    authority::{Identity, common_name, for_client},
    certificate::{CA, as_mt, is_refused, offering, serve, serve_only},
    fixture::{Key, post, registry},
    jwks_uri::{self, Loopback},
    port::free_port,
};

fn params() -> CertificateParams {
    for_client(common_name("Self-made"))
}

/// Nobody could accept it as valid.
fn long_past() -> CertificateParams {
    let mut params = params();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    params
}

fn shown(key: &Key) -> Identity {
    Identity::self_signed(&params(), key.pair())
}

fn registered(jwks: &Value) -> Registry {
    registry(&json!({
        "client_id": "mt",
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": jwks,
    }))
}

#[tokio::test]
async fn certificate_of_a_registered_key_is_accepted() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let key = Key::generate(algorithm);
        let mut server = serve(offering(registered(&key.jwks(&json!({}))))).await;
        let response = server.ask(Some(&shown(&key)), as_mt()).await;
        assert_eq!(response.status, 200, "{algorithm:?} {response:?}");
    }
}

#[tokio::test]
async fn dates_and_issuers_do_not_matter() {
    let key = Key::ec();
    let mut server = serve(offering(registered(&key.jwks(&json!({}))))).await;
    let mut unusable = params();
    unusable.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::CodeSigning];
    for identity in [
        Identity::self_signed(&long_past(), key.pair()),
        Identity::self_signed(&unusable, key.pair()),
        CA.issue_for(&params(), key.pair()),
    ] {
        let response = server.ask(Some(&identity), as_mt()).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test]
async fn same_names_with_another_key_are_refused() {
    let (key, other) = (Key::ec(), Key::ec());
    let x5c = json!({ "x5c": [STANDARD.encode(&shown(&key).certificate)] });
    let x5t = URL_SAFE_NO_PAD.encode(Sha256::digest(&shown(&key).certificate));
    for more in [json!({}), x5c, json!({ "x5t#S256": x5t })] {
        let mut server = serve(offering(registered(&key.jwks(&more)))).await;
        let own = server.ask(Some(&shown(&key)), as_mt()).await;
        assert_eq!(own.status, 200, "{own:?}");
        let copy = server.ask(Some(&shown(&other)), as_mt()).await;
        is_refused(&copy, Refusal::WrongCertificate);
        // Not even if the authority issued it.
        let vouched = CA.issue_for(&params(), other.pair());
        let vouched = server.ask(Some(&vouched), as_mt()).await;
        is_refused(&vouched, Refusal::WrongCertificate);
    }
}

#[tokio::test]
async fn certificate_can_be_registered_by_its_digest() {
    // RFC 7517 §4.9. The JWK has another key, so that only the digest can decide.
    let (key, other) = (Key::ec(), Key::ec());
    let identity = shown(&key);
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&identity.certificate));
    let jwks = other.jwks(&json!({ "x5t#S256": digest }));
    let mut server = serve(offering(registered(&jwks))).await;
    let response = server.ask(Some(&identity), as_mt()).await;
    assert_eq!(response.status, 200, "{response:?}");
    let renewed = Identity::self_signed(&long_past(), key.pair());
    let response = server.ask(Some(&renewed), as_mt()).await;
    is_refused(&response, Refusal::WrongCertificate);
}

#[tokio::test]
async fn one_of_several_keys_is_enough() {
    let (old, new) = (Key::ec(), Key::ec());
    let jwks = json!({ "keys": [
        old.jwk(&json!({ "kid": "old" })),
        new.jwk(&json!({ "kid": "new", "x5c": [STANDARD.encode(&shown(&new).certificate)] })),
    ] });
    let mut server = serve(offering(registered(&jwks))).await;
    for key in [&old, &new] {
        let response = server.ask(Some(&shown(key)), as_mt()).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test]
async fn registered_key_without_a_certificate_is_refused() {
    let mut server = serve(offering(registered(&Key::ec().jwks(&json!({}))))).await;
    let response = server.ask(None, as_mt()).await;
    is_refused(&response, Refusal::NoCertificate);
}

#[tokio::test]
async fn secret_beside_a_certificate_is_refused_as_without_it() {
    let key = Key::ec();
    let mut server = serve(offering(registered(&key.jwks(&json!({}))))).await;
    let both = || post("token=rt1&client_id=mt&client_secret=s");
    let without = server.ask(None, both()).await;
    let with = server.ask(Some(&shown(&key)), both()).await;
    is_refused(&with, Refusal::MethodNotRegistered);
    assert_eq!(with.visible(), without.visible());
}

fn at(uri: &str) -> Registry {
    registry(&json!({
        "client_id": "mt",
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks_uri": uri,
    }))
}

#[tokio::test]
async fn client_can_publish_its_key() {
    let (key, other) = (Key::ec(), Key::ec());
    let (remote, uri, _) = jwks_uri::serve(key.jwks(&json!({}))).await;
    let mut server = serve(offering(at(&uri)).remote_keys(remote)).await;
    let response = server.ask(Some(&shown(&key)), as_mt()).await;
    assert_eq!(response.status, 200, "{response:?}");
    let response = server.ask(Some(&shown(&other)), as_mt()).await;
    is_refused(&response, Refusal::WrongCertificate);
}

#[tokio::test]
async fn unknown_clients_do_not_cause_fetches() {
    let (remote, uri, asked) = jwks_uri::serve(Key::ec().jwks(&json!({}))).await;
    let mut server = serve(offering(at(&uri)).remote_keys(remote)).await;
    for _ in 0..20 {
        let response = server.ask(Some(&shown(&Key::ec())), as_mt()).await;
        is_refused(&response, Refusal::WrongCertificate);
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn unavailable_key_is_503() {
    let port = free_port();
    let down = RemoteKeys::builder()
        .timeout(Duration::from_secs(5))
        .resolver(Loopback)
        .allow_private_addresses(true)
        .build();
    let clients = at(&format!("https://keys.example:{port}/jwks"));
    let mut server = serve(offering(clients).remote_keys(down)).await;
    let response = server.ask(Some(&shown(&Key::ec())), as_mt()).await;
    assert_eq!(response.status, 503, "{response:?}");
    assert!(response.headers.contains_key("retry-after"));
    // A refusal without a certificate needs no key.
    let response = server.ask(None, as_mt()).await;
    is_refused(&response, Refusal::NoCertificate);
}

#[tokio::test]
async fn each_registered_method_needs_its_own_proof() {
    let key = Key::ec();
    let clients = registry(&json!({
        "client_id": "mt",
        "token_endpoint_auth_methods": ["tls_client_auth", "self_signed_tls_client_auth"],
        "tls_client_auth_subject_dn": "CN=Named",
        "jwks": key.jwks(&json!({})),
    }));
    let named = CA.issue(&for_client(common_name("Named")));
    let self_named = Identity::self_signed(&for_client(common_name("Named")), Key::ec().pair());
    let own = shown(&key);
    // A 401 carries the challenge of Basic.
    let basic = AuthMethod::ClientSecretBasic;
    let by_authority = AuthMethod::TlsClientAuth;
    let by_key = AuthMethod::SelfSignedTlsClientAuth;
    for (offered, expected) in [
        (vec![basic, by_authority, by_key], [200, 200]),
        (vec![basic, by_authority], [200, 401]),
        (vec![basic, by_key], [401, 200]),
    ] {
        let mut server = serve_only(offering(clients.clone()), offered.clone()).await;
        for (identity, expected) in [&named, &own].into_iter().zip(expected) {
            let response = server.ask(Some(identity), as_mt()).await;
            assert_eq!(response.status, expected, "{offered:?} {response:?}");
        }
        let response = server.ask(Some(&self_named), as_mt()).await;
        assert_eq!(response.status, 401, "{offered:?} {response:?}");
    }
}

/// This is why the server of these tests has its own verifier.
#[test]
fn default_verifier_of_rustls_refuses_self_signed_certificates() {
    let mut roots = RootCertStore::empty();
    roots.add(CA.root()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let stock = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
    let stock = stock.build().unwrap();
    let judged = |shown: &Identity| {
        let certificate = &shown.certificate;
        stock.verify_client_cert(certificate, &[], UnixTime::now())
    };
    assert!(judged(&CA.issue(&params())).is_ok());
    assert!(judged(&shown(&Key::ec())).is_err());
}
