//! What an authenticator offers, and for which issuer.

use std::panic::catch_unwind;

use hyper::Request;
use tower::{BoxError, service_fn};
use tower_revocation::{
    MetadataLayer,
    client::{
        AuthMethod, Offer as _, Offering,
        assertion::Assertions,
        attestation::Attestations,
        registry::{ClientAuthenticator, Registry},
    },
};

use crate::fixture::{ISSUER, layer};
use crate::metadata::ENDPOINT;

#[test]
#[should_panic(expected = "must be the audience of the clients' assertions")]
fn the_issuer_that_is_said_is_the_audience_that_is_demanded() {
    let authenticator = ClientAuthenticator::new(Registry::default())
        .assertions(Assertions::new("https://as.example.com/"));
    let metadata = layer(authenticator).metadata(ENDPOINT);
    let _ = MetadataLayer::new(ISSUER, &metadata, serde_json::Map::new());
}

#[test]
#[should_panic(expected = "must be the audience of the clients' assertions")]
fn the_issuer_that_is_said_is_the_audience_that_proofs_have() {
    let elsewhere = Attestations::new("https://as.example.com/");
    let authenticator = ClientAuthenticator::new(Registry::default()).attestations(elsewhere);
    let metadata = layer(authenticator).metadata(ENDPOINT);
    let _ = MetadataLayer::new(ISSUER, &metadata, serde_json::Map::new());
}

#[test]
#[should_panic(expected = "must be the audience of the clients' assertions")]
fn the_issuer_that_is_said_is_the_one_that_an_authenticator_of_ones_own_says() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let own = Offering::new(own, [AuthMethod::PrivateKeyJwt]).issuer("https://as.example.com/");
    let metadata = layer(own).metadata(ENDPOINT);
    let _ = MetadataLayer::new(ISSUER, &metadata, serde_json::Map::new());
}

#[test]
fn assertions_and_attestations_are_for_one_issuer() {
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
fn an_authenticator_of_ones_own_says_what_it_offers() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let methods = [AuthMethod::PrivateKeyJwt, AuthMethod::AttestJwtClientAuth];
    let own = Offering::new(own, methods)
        .signing_algs(["ES256"])
        .attestation_algs(["ES384"], ["Ed25519"]);
    assert_eq!(own.auth_methods(), methods);
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
#[should_panic(expected = "proves nothing")]
fn nobody_offers_assertions_without_a_signature() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let _ = Offering::new(own, [AuthMethod::PrivateKeyJwt]).signing_algs(["ES256", "none"]);
}

#[test]
#[should_panic(expected = "proves nothing")]
fn nobody_offers_attestations_without_a_signature() {
    let own = service_fn(async |_: Request<()>| Ok::<Option<()>, BoxError>(None));
    let _ = Offering::new(own, [AuthMethod::AttestJwtClientAuth])
        .attestation_algs(["ES256"], ["ES256", "none"]);
}
