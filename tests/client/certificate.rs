//! Clients known by a certificate that an authority vouches for, over TLS (RFC 8705 §2.1).

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
    fixture::{Answer, ISSUER, Key, PK, basic, claims, form, header, layer, post, registry, with},
    tls::Server,
};

/// Whom the server trusts.
pub(crate) static CA: LazyLock<Authority> = LazyLock::new(|| Authority::new("Clients"));

pub(crate) fn offering(clients: Registry) -> ClientAuthenticator<Registry> {
    ClientAuthenticator::new(clients)
        .certificates()
        .assertions(Assertions::new(ISSUER))
}

pub(crate) async fn serve(authenticator: ClientAuthenticator<Registry>) -> Server {
    serve_only(authenticator, AuthMethod::ALL.iter().copied()).await
}

/// The endpoint accepts these methods alone.
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

/// The client `mt`, by its name.
pub(crate) fn as_mt() -> Request<String> {
    post("token=rt1&client_id=mt")
}

#[track_caller]
pub(crate) fn is_refused(answer: &Answer, reason: Refusal) {
    assert_eq!(answer.refusal(), Some(reason), "{answer:?}");
    assert_eq!(answer.status, 401);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["error"], "invalid_client");
}

#[track_caller]
pub(crate) fn is_invalid_request(answer: &Answer) {
    assert_eq!(answer.status, 400, "{answer:?}");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["error"], "invalid_request");
}

#[tokio::test]
async fn the_right_certificate_is_enough_in_every_version_of_tls() {
    let mut server = world().await;
    let identity = CA.issue(&for_client(billing()));
    for version in [&TLS12, &TLS13] {
        let answer = server.ask_by(&[version], Some(&identity), as_mt()).await;
        assert_eq!(answer.status, 200, "{version:?} {answer:?}");
    }
}

#[tokio::test]
async fn the_request_has_to_name_the_client() {
    // RFC 8705 §2: client_id is REQUIRED; nobody is looked up by a certificate.
    let mut server = world().await;
    let identity = CA.issue(&for_client(billing()));
    let answer = server.ask(Some(&identity), post("token=rt1")).await;
    is_refused(&answer, Refusal::NoCredentials);
}

#[tokio::test]
async fn without_a_certificate_the_name_is_not_enough() {
    let mut server = world().await;
    for version in [&TLS12, &TLS13] {
        let answer = server.ask_by(&[version], None, as_mt()).await;
        is_refused(&answer, Refusal::NoCertificate);
    }
}

#[tokio::test]
async fn a_certificate_is_good_for_its_own_client_alone() {
    let mut server = world().await;
    let identity = CA.issue(&for_client(common_name("Other")));
    let answer = server.ask(Some(&identity), as_mt()).await;
    is_refused(&answer, Refusal::WrongCertificate);
    let other = post("token=rt1&client_id=other");
    assert_eq!(server.ask(Some(&identity), other).await.status, 200);
}

#[tokio::test]
async fn the_right_name_is_nothing_without_the_authority() {
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
        // Its name is that of the trusted one, and its key is not.
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
        let answer = server.ask(Some(identity), as_mt()).await;
        assert_eq!(
            (*what, answer.refusal()),
            (*what, Some(Refusal::UntrustedCertificate))
        );
        assert_eq!(answer.heard(), unknown.heard());
    }
}

#[tokio::test]
async fn certificate_does_not_tell_which_clients_are_registered_for_one() {
    // A wrong secret has one answer, for a client of certificates as for any other and for none.
    let mut server = world().await;
    let right = CA.issue(&for_client(billing()));
    let somebody = CA.issue(&for_client(common_name("Somebody")));
    for identity in [None, Some(&right), Some(&somebody)] {
        let mut answers = Vec::new();
        for client_id in ["mt", "other", "c1", "post", "pk-client", "spa-1", "nobody"] {
            let in_body = post(format!("token=rt1&client_id={client_id}&client_secret=s"));
            let mut in_header = post("token=rt1");
            let field = basic(client_id, "s").parse().unwrap();
            in_header.headers_mut().insert("authorization", field);
            // By a key of nobody's.
            let assertion = Key::ec().sign(Algorithm::ES256, &header(), &claims(client_id));
            for request in [in_body, in_header, post(form(&assertion))] {
                answers.push((client_id, server.ask(identity, request).await));
            }
        }
        let (_, expected) = &answers[0];
        is_refused(expected, Refusal::MethodNotRegistered);
        for (client_id, answer) in &answers {
            assert_eq!(answer.heard(), expected.heard(), "{client_id}");
            // The limit of failures counts this kind.
            let kind = answer.error.as_ref().map(Error::kind);
            assert_eq!(kind, Some(ErrorKind::InvalidClient), "{client_id}");
        }
    }
}

#[tokio::test]
async fn a_certificate_does_not_change_why_others_are_refused() {
    // Their method is not registered, with a certificate on the connection as without.
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
            let answer = server.ask(identity, post(body.clone())).await;
            is_refused(&answer, Refusal::MethodNotRegistered);
        }
    }
    let mut by_basic = post("token=rt1");
    let field = basic("mt", "gX1fBat3bV").parse().unwrap();
    by_basic.headers_mut().insert("authorization", field);
    for request in [by_basic, as_mt()] {
        let answer = server.ask(Some(&identity), request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_certificate_takes_nothing_from_the_clients_of_other_methods() {
    // RFC 8705 §3, §4: their tokens may be bound to it.
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
        let answer = server.ask(Some(&identity), request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_no_secret() {
    let mut server = world().await;
    let identity = CA.issue(&for_client(billing()));
    let answer = server
        .ask(Some(&identity), post("token=rt1&client_id=c1"))
        .await;
    is_refused(&answer, Refusal::MethodNotRegistered);
}

#[tokio::test]
async fn a_method_that_is_not_offered_does_not_work() {
    let identity = CA.issue(&for_client(billing()));
    let others = AuthMethod::ALL.iter().copied();
    let others = others.filter(|method| *method != AuthMethod::TlsClientAuth);
    let mut server = serve_only(offering(clients()), others).await;
    let answer = server.ask(Some(&identity), as_mt()).await;
    is_refused(&answer, Refusal::MethodNotRegistered);

    let without = ClientAuthenticator::new(clients()).assertions(Assertions::new(ISSUER));
    let mut server = serve(without).await;
    let answer = server.ask(Some(&identity), as_mt()).await;
    is_refused(&answer, Refusal::MethodNotRegistered);
}
