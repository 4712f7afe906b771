//! The metadata state what the endpoint accepts (RFC 8414, RFC 8705 §5).

use std::collections::BTreeSet;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{Request, Response};
use jsonwebtoken::Algorithm;
use rcgen::CertificateParams;
use serde_json::{Map, Value, json};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    MetadataLayer,
    client::{
        AuthMethod,
        assertion::Assertions,
        certificate::ClientCertificate,
        registry::{ClientAuthenticator, Registry},
    },
    jose,
};

use crate::attestation::{attestations, genuine};
use crate::fixture::{
    ISSUER, Key, PK, SHARED_SECRET, ask, basic, claims, form, header, layer, post, registry,
    sign_hmac,
};

pub(crate) const ENDPOINT: &str = "https://as.example.com/revoke";

struct World {
    certificate: ClientCertificate,
    clients: Registry,
}

impl World {
    fn new() -> Self {
        let key = Key::ec();
        let parameters = CertificateParams::new(["client.example".to_owned()]).unwrap();
        let certificate = parameters.self_signed(key.pair()).unwrap();
        let clients = registry(&json!([
            { "client_id": "basic", "client_secret": "s" },
            { "client_id": "post", "client_secret": "s", "token_endpoint_auth_method": "client_secret_post" },
            { "client_id": "none", "token_endpoint_auth_method": "none" },
            { "client_id": "pk-client", "token_endpoint_auth_method": "private_key_jwt", "jwks": PK.jwks(&json!({ "kid": "k1" })) },
            { "client_id": "app", "token_endpoint_auth_method": "attest_jwt_client_auth" },
            { "client_id": "sj", "token_endpoint_auth_method": "client_secret_jwt", "client_secret": SHARED_SECRET },
            { "client_id": "mt", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "client.example" },
            { "client_id": "ss", "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": key.jwks(&json!({})) },
        ]));
        Self {
            certificate: ClientCertificate::verified(certificate.der().as_ref()).unwrap(),
            clients,
        }
    }

    /// A valid request with this method.
    fn request(&self, method: AuthMethod) -> Request<String> {
        let mut request = match method {
            AuthMethod::ClientSecretBasic => {
                let mut request = post("token=rt1");
                let field = basic("basic", "s").parse().unwrap();
                request.headers_mut().insert("authorization", field);
                request
            }
            AuthMethod::ClientSecretPost => post("token=rt1&client_id=post&client_secret=s"),
            AuthMethod::None => post("token=rt1&client_id=none"),
            AuthMethod::PrivateKeyJwt => post(form(&PK.sign(
                Algorithm::ES256,
                &header(),
                &claims("pk-client"),
            ))),
            AuthMethod::ClientSecretJwt => post(form(&sign_hmac(
                Algorithm::HS256,
                SHARED_SECRET.as_bytes(),
                &json!({ "alg": "HS256" }),
                &claims("sj"),
            ))),
            AuthMethod::TlsClientAuth => post("token=rt1&client_id=mt"),
            AuthMethod::SelfSignedTlsClientAuth => post("token=rt1&client_id=ss"),
            AuthMethod::AttestJwtClientAuth => genuine(),
            other => panic!("{other:?}"),
        };
        if method == AuthMethod::TlsClientAuth || method == AuthMethod::SelfSignedTlsClientAuth {
            request.extensions_mut().insert(self.certificate.clone());
        }
        request
    }
}

/// Tries every method, with every authenticator and every setting of the layer: the metadata list
/// exactly the methods that work.
#[tokio::test]
async fn metadata_list_exactly_the_methods_that_work() {
    let world = World::new();
    let plain = ClientAuthenticator::new(world.clients.clone());
    let signed = plain.clone().assertions(Assertions::new(ISSUER));
    let only_keys = Assertions::new(ISSUER).algorithms([jose::Algorithm::Es256]);
    let all = plain
        .clone()
        .assertions(Assertions::new(ISSUER))
        .certificates()
        .attestations(attestations());
    let authenticators = [
        plain.clone(),
        signed,
        plain.clone().assertions(only_keys),
        plain.certificates(),
        all,
    ];
    let mut choices: Vec<_> = AuthMethod::ALL.iter().map(|it| vec![*it]).collect();
    choices.push(AuthMethod::ALL.to_vec());
    choices.push(vec![AuthMethod::None, AuthMethod::PrivateKeyJwt]);
    choices.push(vec![AuthMethod::ClientSecretJwt, AuthMethod::TlsClientAuth]);

    let mut seen = BTreeSet::new();
    for authenticator in &authenticators {
        for choice in &choices {
            let layer = layer(authenticator.clone()).auth_methods(choice.iter().copied());
            let said = layer
                .metadata(ENDPOINT)
                .revocation_endpoint_auth_methods_supported;
            let mut work = Vec::new();
            for &method in AuthMethod::ALL {
                if ask(layer.clone(), world.request(method)).await.status == 200 {
                    work.push(method.as_str());
                }
            }
            assert_eq!(said, work, "{choice:?}");
            seen.extend(work);
        }
    }
    assert_eq!(seen.len(), AuthMethod::ALL.len(), "{seen:?}");
}

#[test]
fn method_none_is_always_listed() {
    let layer = layer(ClientAuthenticator::new(Registry::default()));
    let metadata = serde_json::to_value(layer.metadata(ENDPOINT)).unwrap();
    assert_eq!(
        metadata,
        json!({
            "revocation_endpoint": ENDPOINT,
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        })
    );
}

#[test]
fn algorithms_are_listed_only_for_accepted_methods() {
    let algorithms = [jose::Algorithm::Es256, jose::Algorithm::Hs512];
    let assertions = || Assertions::new(ISSUER).algorithms(algorithms);
    let authenticator = || ClientAuthenticator::new(Registry::default()).assertions(assertions());
    let said = |methods: &[AuthMethod]| {
        layer(authenticator())
            .auth_methods(methods.iter().copied())
            .metadata(ENDPOINT)
            .revocation_endpoint_auth_signing_alg_values_supported
    };
    assert_eq!(said(AuthMethod::ALL), ["ES256", "HS512"]);
    assert_eq!(said(&[AuthMethod::PrivateKeyJwt]), ["ES256"]);
    assert_eq!(said(&[AuthMethod::ClientSecretJwt]), ["HS512"]);
    assert!(said(&[AuthMethod::None]).is_empty());
}

#[test]
fn mtls_alias_is_listed_if_certificates_are_accepted() {
    let authenticator = ClientAuthenticator::new(Registry::default());
    let alias = "https://mtls.as.example.com/revoke";
    let with = layer(authenticator.clone().certificates()).mtls_alias(alias);
    let said = with.metadata(ENDPOINT).mtls_endpoint_aliases.unwrap();
    assert_eq!(said.revocation_endpoint, alias);
    let without = layer(authenticator).mtls_alias(alias);
    assert_eq!(without.metadata(ENDPOINT).mtls_endpoint_aliases, None);
}

#[test]
fn document_keeps_its_other_members() {
    let authenticator = ClientAuthenticator::new(Registry::default()).certificates();
    let layer = layer(authenticator).mtls_alias("https://mtls.example/revoke");
    let document = json!({
        "token_endpoint": "https://as.example.com/token",
        "revocation_endpoint_auth_methods_supported": ["made_up"],
        "mtls_endpoint_aliases": { "token_endpoint": "https://mtls.example/token" },
    });
    let Value::Object(mut document) = document else {
        unreachable!()
    };
    layer.metadata(ENDPOINT).merge_into(&mut document);
    assert_eq!(document["token_endpoint"], "https://as.example.com/token");
    let methods = document["revocation_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    assert!(!methods.contains(&json!("made_up")));
    assert_eq!(
        document["mtls_endpoint_aliases"],
        json!({
            "token_endpoint": "https://mtls.example/token",
            "revocation_endpoint": "https://mtls.example/revoke",
        })
    );
}

#[tokio::test]
async fn layer_serves_the_document_and_passes_other_requests() {
    let authenticator = ClientAuthenticator::new(Registry::default());
    let document = json!({ "response_types_supported": ["code"] });
    let revocation = layer(authenticator).auth_methods([AuthMethod::None]);
    let layer = MetadataLayer::new(
        "https://as.example.com/tenant",
        &revocation.metadata("https://as.example.com/tenant/revoke"),
        document.as_object().cloned().unwrap(),
    );
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(
            Response::builder()
                .status(418)
                .body(Empty::<Bytes>::new())?,
        )
    });
    let service = layer.layer(inner);
    let get = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let service = service.clone();
        async move { service.oneshot(request).await.unwrap() }
    };

    let path = "/.well-known/oauth-authorization-server/tenant";
    let response = get("GET", path).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        document,
        json!({
            "issuer": "https://as.example.com/tenant",
            "response_types_supported": ["code"],
            "revocation_endpoint": "https://as.example.com/tenant/revoke",
            "revocation_endpoint_auth_methods_supported": ["none"],
        })
    );

    let head = get("HEAD", path).await;
    assert_eq!(head.headers()["content-length"], body.len().to_string());
    assert!(
        head.into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
    let posted = get("POST", path).await;
    assert_eq!(
        (posted.status().as_u16(), &posted.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
    assert_eq!(
        get("GET", "/.well-known/oauth-authorization-server")
            .await
            .status(),
        418
    );
    assert_eq!(get("GET", "/").await.status(), 418);
}

#[test]
#[should_panic(expected = "an https URL, or an http URL on this machine")]
fn metadata_of_an_issuer_by_plain_http_panics() {
    let authenticator = ClientAuthenticator::new(Registry::default());
    let metadata = layer(authenticator).metadata("http://as.example.com/revoke");
    let _ = MetadataLayer::new("http://as.example.com", &metadata, Map::new());
}
