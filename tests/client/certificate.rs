//! Clients with a certificate of an authority, over TLS (RFC 8705 §2.1).

use std::sync::LazyLock;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming};
use jsonwebtoken::Algorithm;
use rcgen::{DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use serde_json::{Value, json};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tower::{BoxError, Layer as _, service_fn};
use tower_revocation::{
    Error, ErrorKind,
    client::{
        AuthMethod, Refusal,
        assertion::Assertions,
        registry::{ClientAuthenticator, Registry},
    },
};

use crate::{
    authority::{Authority, Identity, common_name, for_client},
    fixture::{ISSUER, Key, PK, Reply, basic, claims, form, header, layer, post, registry, with},
    tls::Server,
};

/// The authority that the server trusts.
pub(crate) static CA: LazyLock<Authority> = LazyLock::new(|| Authority::new("Clients"));

pub(crate) fn offering(clients: Registry) -> ClientAuthenticator<Registry> {
    ClientAuthenticator::new(clients)
        .certificates()
        .assertions(Assertions::new(ISSUER))
}

pub(crate) async fn serve(authenticator: ClientAuthenticator<Registry>) -> Server {
    serve_only(authenticator, AuthMethod::ALL.iter().copied()).await
}

/// The endpoint accepts only these methods.
pub(crate) async fn serve_only(
    authenticator: ClientAuthenticator<Registry>,
    methods: impl IntoIterator<Item = AuthMethod>,
) -> Server {
    let inner = service_fn(async |_: Request<Incoming>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let layer = layer(authenticator).auth_methods(methods);
    Server::start(&CA, layer.layer(inner)).await
}

pub(crate) fn billing() -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "US");
    subject.push(DnType::OrganizationName, "Example, Inc.");
    subject.push(DnType::CommonName, "Billing Service");
    subject
}

const BILLING: &str = "CN=Billing Service,O=Example\\, Inc.,C=US";

pub(crate) fn mt(member: &str, value: &str) -> Value {
    json!({ "client_id": "mt", "token_endpoint_auth_method": "tls_client_auth", member: value })
}

fn clients() -> Registry {
    registry(&json!([
        mt("tls_client_auth_subject_dn", BILLING),
        {
            "client_id": "other",
            "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_subject_dn": "CN=Other",
        },
        { "client_id": "c1", "client_secret": "gX1fBat3bV" },
        {
            "client_id": "post",
            "client_secret": "p0st",
            "token_endpoint_auth_method": "client_secret_post",
        },
        {
            "client_id": "pk-client",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": PK.jwks(&json!({ "kid": "k1" })),
        },
        { "client_id": "spa-1", "token_endpoint_auth_method": "none" },
    ]))
}

async fn world() -> Server {
    serve(offering(clients())).await
}

/// A request of the client `mt`, with its `client_id`.
pub(crate) fn as_mt() -> Request<String> {
    post("token=rt1&client_id=mt")
}

#[track_caller]
pub(crate) fn is_refused(response: &Reply, reason: Refusal) {
    assert_eq!(response.refusal(), Some(reason), "{response:?}");
    assert_eq!(response.status, 401);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(body["error"], "invalid_client");
}

#[track_caller]
pub(crate) fn is_invalid_request(response: &Reply) {
    assert_eq!(response.status, 400, "{response:?}");
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(body["error"], "invalid_request");
}

#[tokio::test]
async fn correct_certificate_works_in_every_version_of_tls() {
    let mut server = world().await;
    let identity = CA.issue(&for_client(billing()));
    for version in [&TLS12, &TLS13] {
        let response = server.ask_by(&[version], Some(&identity), as_mt()).await;
        assert_eq!(response.status, 200, "{version:?} {response:?}");
    }
}

#[tokio::test]
async fn client_id_is_required() {
    // RFC 8705 §2: `client_id` is REQUIRED. A certificate does not select a client.
    let mut server = world().await;
    let identity = CA.issue(&for_client(billing()));
    let response = server.ask(Some(&identity), post("token=rt1")).await;
    is_refused(&response, Refusal::NoCredentials);
}

#[tokio::test]
async fn client_id_without_a_certificate_is_refused() {
    let mut server = world().await;
    for version in [&TLS12, &TLS13] {
        let response = server.ask_by(&[version], None, as_mt()).await;
        is_refused(&response, Refusal::NoCertificate);
    }
}

#[tokio::test]
async fn certificate_works_only_for_its_own_client() {
    let mut server = world().await;
    let identity = CA.issue(&for_client(common_name("Other")));
    let response = server.ask(Some(&identity), as_mt()).await;
    is_refused(&response, Refusal::WrongCertificate);
    let other = post("token=rt1&client_id=other");
    assert_eq!(server.ask(Some(&identity), other).await.status, 200);
}

#[tokio::test]
async fn correct_name_needs_the_trusted_authority() {
    let mut server = world().await;
    let mut expired = for_client(billing());
    expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let mut future = for_client(billing());
    future.not_before = rcgen::date_time_ymd(2999, 1, 1);
    future.not_after = rcgen::date_time_ymd(3000, 1, 1);
    let mut of_a_server = for_client(billing());
    of_a_server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let identities = [
        (
            "foreign",
            Authority::new("Foreign").issue(&for_client(billing())),
        ),
        // The same name as the trusted authority, with another key.
        (
            "namesake",
            Authority::new("Clients").issue(&for_client(billing())),
        ),
        ("expired", CA.issue(&expired)),
        ("not yet valid", CA.issue(&future)),
        ("serverAuth alone", CA.issue(&of_a_server)),
        (
            "self-signed",
            Identity::self_signed(&for_client(billing()), &KeyPair::generate().unwrap()),
        ),
    ];
    let unknown = server.ask(None, post("token=rt1&client_id=nobody")).await;
    for (what, identity) in &identities {
        let response = server.ask(Some(identity), as_mt()).await;
        assert_eq!(
            (*what, response.refusal()),
            (*what, Some(Refusal::UntrustedCertificate))
        );
        assert_eq!(response.visible(), unknown.visible());
    }
}

#[tokio::test]
async fn response_does_not_reveal_which_clients_use_certificates() {
    // A wrong secret has the same response for a client with a certificate, for any other client,
    // and for none.
    let mut server = world().await;
    let right = CA.issue(&for_client(billing()));
    let somebody = CA.issue(&for_client(common_name("Somebody")));
    for identity in [None, Some(&right), Some(&somebody)] {
        let mut responses = Vec::new();
        for client_id in ["mt", "other", "c1", "post", "pk-client", "spa-1", "nobody"] {
            let in_body = post(format!("token=rt1&client_id={client_id}&client_secret=s"));
            let mut in_header = post("token=rt1");
            let field = basic(client_id, "s").parse().unwrap();
            in_header.headers_mut().insert("authorization", field);
            // With a key that no client has registered.
            let assertion = Key::ec().sign(Algorithm::ES256, &header(), &claims(client_id));
            for request in [in_body, in_header, post(form(&assertion))] {
                responses.push((client_id, server.ask(identity, request).await));
            }
        }
        let (_, expected) = &responses[0];
        is_refused(expected, Refusal::MethodNotRegistered);
        for (client_id, response) in &responses {
            assert_eq!(response.visible(), expected.visible(), "{client_id}");
            // The limit of failures counts this kind.
            let kind = response.error.as_ref().map(Error::kind);
            assert_eq!(kind, Some(ErrorKind::InvalidClient), "{client_id}");
        }
    }
}

#[tokio::test]
async fn certificate_does_not_change_other_refusals() {
    // Their method is not registered, with or without a certificate on the connection.
    let clients = registry(&json!([
        { "client_id": "c1", "client_secret": "gX1fBat3bV" },
        with(
            mt("tls_client_auth_subject_dn", BILLING),
            &json!({
                "token_endpoint_auth_method": null,
                "token_endpoint_auth_methods": ["client_secret_basic", "tls_client_auth"],
                "client_secret": "gX1fBat3bV",
            }),
        ),
    ]));
    let mut server = serve(offering(clients)).await;
    let identity = CA.issue(&for_client(billing()));
    for client_id in ["c1", "mt"] {
        let body = format!("token=rt1&client_id={client_id}&client_secret=gX1fBat3bV");
        for identity in [None, Some(&identity)] {
            let response = server.ask(identity, post(body.clone())).await;
            is_refused(&response, Refusal::MethodNotRegistered);
        }
    }
    let mut by_basic = post("token=rt1");
    let field = basic("mt", "gX1fBat3bV").parse().unwrap();
    by_basic.headers_mut().insert("authorization", field);
    for request in [by_basic, as_mt()] {
        let response = server.ask(Some(&identity), request).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test]
async fn clients_of_other_methods_may_present_a_certificate() {
    // RFC 8705 §3, §4: their tokens may be bound to the certificate.
    let mut server = world().await;
    let identity = CA.issue(&for_client(common_name("Somebody")));
    let mut by_basic = post("token=rt1");
    let field = basic("c1", "gX1fBat3bV").parse().unwrap();
    by_basic.headers_mut().insert("authorization", field);
    let assertion = PK.sign(Algorithm::ES256, &header(), &claims("pk-client"));
    for request in [
        by_basic,
        post("token=rt1&client_id=post&client_secret=p0st"),
        post(form(&assertion)),
        post("token=rt1&client_id=spa-1"),
    ] {
        let response = server.ask(Some(&identity), request).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test]
async fn certificate_does_not_replace_a_secret() {
    let mut server = world().await;
    let identity = CA.issue(&for_client(billing()));
    let response = server
        .ask(Some(&identity), post("token=rt1&client_id=c1"))
        .await;
    is_refused(&response, Refusal::MethodNotRegistered);
}

#[tokio::test]
async fn method_that_the_endpoint_does_not_accept_is_refused() {
    let identity = CA.issue(&for_client(billing()));
    let others = AuthMethod::ALL.iter().copied();
    let others = others.filter(|method| *method != AuthMethod::TlsClientAuth);
    let mut server = serve_only(offering(clients()), others).await;
    let response = server.ask(Some(&identity), as_mt()).await;
    is_refused(&response, Refusal::MethodNotRegistered);

    let without = ClientAuthenticator::new(clients()).assertions(Assertions::new(ISSUER));
    let mut server = serve(without).await;
    let response = server.ask(Some(&identity), as_mt()).await;
    is_refused(&response, Refusal::MethodNotRegistered);
}
