//! What an authenticator supports, and for which issuer.

use std::panic::catch_unwind;

use hyper::Request;
use tower::{BoxError, service_fn};
use tower_revocation::{
    MetadataLayer,
    client::{
        AuthMethod, SupportedMethods as _, WithSupportedMethods,
        assertion::Assertions,
        attestation::Attestations,
        registry::{ClientAuthenticator, Registry},
    },
};

use crate::fixture::{ISSUER, layer};
use crate::metadata::ENDPOINT;

#[test]
#[should_panic(expected = "must be the audience of the clients' assertions")]
fn metadata_issuer_must_be_the_audience_of_assertions() {
    let authenticator = ClientAuthenticator::new(Registry::default())
        .assertions(Assertions::new("https://as.example.com/"));
    let metadata = layer(authenticator).metadata(ENDPOINT);
    let _ = MetadataLayer::new(ISSUER, &metadata, serde_json::Map::new());
}

#[test]
#[should_panic(expected = "must be the audience of the clients' assertions")]
fn metadata_issuer_must_be_the_audience_of_attestation_proofs() {
    let elsewhere = Attestations::new("https://as.example.com/");
    let authenticator = ClientAuthenticator::new(Registry::default()).attestations(elsewhere);
    let metadata = layer(authenticator).metadata(ENDPOINT);
    let _ = MetadataLayer::new(ISSUER, &metadata, serde_json::Map::new());
}

#[test]
#[should_panic(expected = "must be the audience of the clients' assertions")]
fn metadata_issuer_must_be_the_issuer_of_a_custom_authenticator() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let own = WithSupportedMethods::new(own, [AuthMethod::PrivateKeyJwt])
        .issuer("https://as.example.com/");
    let metadata = layer(own).metadata(ENDPOINT);
    let _ = MetadataLayer::new(ISSUER, &metadata, serde_json::Map::new());
}

#[test]
fn assertions_and_attestations_must_have_the_same_issuer() {
    let plain = || ClientAuthenticator::new(Registry::default());
    for (one, other, may) in [
        (ISSUER, ISSUER, true),
        (ISSUER, "https://as.example.com/", false),
    ] {
        let assertions_last = || {
            let attested = plain().attestations(Attestations::new(one));
            attested.assertions(Assertions::new(other))
        };
        let attestations_last = || {
            let signed = plain().assertions(Assertions::new(one));
            signed.attestations(Attestations::new(other))
        };
        assert_eq!(catch_unwind(assertions_last).is_ok(), may, "{other}");
        assert_eq!(catch_unwind(attestations_last).is_ok(), may, "{other}");
    }
}

#[test]
fn custom_authenticator_states_what_it_supports() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let methods = [AuthMethod::PrivateKeyJwt, AuthMethod::AttestJwtClientAuth];
    let own = WithSupportedMethods::new(own, methods)
        .signing_algs(["ES256"])
        .attestation_algs(["ES384"], ["Ed25519"]);
    assert_eq!(own.auth_methods_supported(), methods);
    let metadata = layer(own).metadata(ENDPOINT);
    assert_eq!(
        metadata.revocation_endpoint_auth_methods_supported,
        ["private_key_jwt", "attest_jwt_client_auth"]
    );
    assert_eq!(
        metadata.client_attestation_signing_alg_values_supported,
        ["ES384"]
    );
    assert_eq!(
        metadata.client_attestation_pop_signing_alg_values_supported,
        ["Ed25519"]
    );
    assert_eq!(
        metadata.revocation_endpoint_auth_signing_alg_values_supported,
        ["ES256"]
    );
}

#[test]
#[should_panic(expected = "`none` is not a signature algorithm")]
fn unsigned_assertions_cannot_be_supported() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let _ =
        WithSupportedMethods::new(own, [AuthMethod::PrivateKeyJwt]).signing_algs(["ES256", "none"]);
}

#[test]
#[should_panic(expected = "`none` is not a signature algorithm")]
fn unsigned_attestations_cannot_be_supported() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let _ = WithSupportedMethods::new(own, [AuthMethod::AttestJwtClientAuth])
        .attestation_algs(["ES256"], ["ES256", "none"]);
}
