//! Certificates that a proxy forwards, at the endpoint (RFC 9440, nginx, Envoy).

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, header::HeaderName};
use rcgen::{CustomExtension, SanType};
use serde_json::json;
use tower::{BoxError, Layer as _, service_fn};
use tower_revocation::client::{
    Refusal,
    certificate::{CertificateFieldsLayer, CertificateFormat, ClientCertificate},
    registry::Registry,
};

use crate::{
    authority::{Identity, common_name, for_client},
    certificate::{CA, is_invalid_request, is_refused, offering},
    fixture::{Key, Reply, basic, layer, post, registry},
    tls::Server,
};

/// The key of `ss`.
static OWN: LazyLock<Key> = LazyLock::new(Key::ec);

fn clients() -> Registry {
    registry(&json!([
        {
            "client_id": "mt",
            "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_san_dns": "client.example",
        },
        {
            "client_id": "ss",
            "token_endpoint_auth_method": "self_signed_tls_client_auth",
            "jwks": OWN.jwks(&json!({})),
        },
        { "client_id": "c1", "client_secret": "gX1fBat3bV" },
    ]))
}

fn of_mt() -> Identity {
    let mut params = for_client(common_name("A client"));
    params.subject_alt_names = vec![SanType::DnsName("client.example".try_into().unwrap())];
    CA.issue(&params)
}

fn of_ss() -> Identity {
    Identity::self_signed(&for_client(common_name("Self-made")), OWN.pair())
}

fn as_client(client_id: &str, fields: &[(&str, &str)]) -> Request<String> {
    with(post(format!("token=rt1&client_id={client_id}")), fields)
}

fn with(mut request: Request<String>, fields: &[(&str, &str)]) -> Request<String> {
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    request
}

fn sequence(identity: &Identity) -> String {
    format!(":{}:", STANDARD.encode(&identity.certificate))
}

/// PEM, as `$ssl_client_escaped_cert` and Envoy write it.
fn escaped(identity: &Identity) -> String {
    let base64 = STANDARD.encode(&identity.certificate);
    let base64 = base64.replace('+', "%2B").replace('/', "%2F");
    let base64 = base64.replace('=', "%3D");
    format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A")
}

fn trusting(form: CertificateFormat) -> CertificateFieldsLayer {
    CertificateFieldsLayer::new(form, ["127.0.0.0/8".parse().unwrap()])
}

/// Trusts another proxy than the peer.
fn distrusting(form: CertificateFormat) -> CertificateFieldsLayer {
    CertificateFieldsLayer::new(form, ["10.0.0.0/8".parse().unwrap()])
}

/// The endpoint behind the layer, and another service that records what it receives.
async fn behind(fields: CertificateFieldsLayer) -> Server {
    let inner = service_fn(async |request: Request<Incoming>| {
        let mut seen: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        if request.extensions().get::<ClientCertificate>().is_some() {
            seen.push("(a certificate)");
        }
        seen.sort_unstable();
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::from(seen.join(" "))))
    });
    let endpoint = layer(offering(clients())).layer(inner);
    Server::start(&CA, fields.layer(endpoint)).await
}

/// The proxy has no certificate of its own.
async fn ask(fields: CertificateFieldsLayer, request: Request<String>) -> Reply {
    behind(fields).await.ask(None, request).await
}

#[tokio::test]
async fn certificate_from_a_trusted_proxy_is_accepted() {
    let (mt, ss) = (sequence(&of_mt()), sequence(&of_ss()));
    let mut server = behind(trusting(CertificateFormat::ClientCert)).await;
    for (client_id, field) in [("mt", &mt), ("ss", &ss)] {
        let request = as_client(client_id, &[("client-cert", field)]);
        let response = server.ask(None, request).await;
        assert_eq!(response.status, 200, "{client_id} {response:?}");
    }
    for (client_id, field) in [("mt", &ss), ("ss", &mt)] {
        let request = as_client(client_id, &[("client-cert", field)]);
        is_refused(&server.ask(None, request).await, Refusal::WrongCertificate);
    }
    is_refused(
        &server.ask(None, as_client("mt", &[])).await,
        Refusal::NoCertificate,
    );
}

#[tokio::test]
async fn field_of_an_untrusted_peer_is_ignored() {
    // RFC 9440 §4.
    let field = sequence(&of_mt());
    let request = || as_client("mt", &[("client-cert", &field)]);
    let distrusting = distrusting(CertificateFormat::ClientCert);
    is_refused(&ask(distrusting, request()).await, Refusal::NoCertificate);
    let nobody = CertificateFieldsLayer::new(CertificateFormat::ClientCert, []);
    is_refused(&ask(nobody, request()).await, Refusal::NoCertificate);
}

#[tokio::test]
async fn fields_do_not_reach_the_inner_service() {
    let certificate = sequence(&of_mt());
    let names = [
        "Client-Cert",
        "Client-Cert-Chain",
        "X-Forwarded-Client-Cert",
        "X-SSL-Client-Cert",
        "X-SSL-Client-Verify",
        "ssl-client-cert",
        "ssl-client-verify",
        "client_cert",
        "X_SSL_Client_Verify",
    ];
    let request = || {
        let elsewhere = Request::get("/elsewhere").body(String::new()).unwrap();
        with(elsewhere, &names.map(|name| (name, certificate.as_str())))
    };
    let response = ask(distrusting(CertificateFormat::ClientCert), request()).await;
    assert_eq!(response.body, "host");
    let response = ask(trusting(CertificateFormat::ClientCert), request()).await;
    assert_eq!(response.body, "(a certificate) host");
}

#[tokio::test]
async fn field_with_an_underscore_is_dropped() {
    let field = sequence(&of_mt());
    let request = as_client("mt", &[("client_cert", &field)]);
    let response = ask(trusting(CertificateFormat::ClientCert), request).await;
    is_refused(&response, Refusal::NoCertificate);
}

#[tokio::test]
async fn ambiguous_or_malformed_fields_are_an_invalid_request() {
    // RFC 9440 §2.2, §2.3.
    let field = sequence(&of_mt());
    let list = format!("{field}, {field}");
    let mut long = for_client(common_name("Long"));
    let extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![4; 20 * 1024]);
    long.custom_extensions.push(extension);
    let long = sequence(&CA.issue(&long));
    let mut server = behind(trusting(CertificateFormat::ClientCert)).await;
    for fields in [
        &[("client-cert", field.as_str()), ("Client-Cert", &field)][..],
        &[("client-cert", &list)],
        &[("client-cert-chain", &field)],
        &[("client-cert", &long)],
        &[("client-cert", field.trim_matches(':'))],
        &[("client-cert", "::")],
        &[("client-cert", "")],
    ] {
        let response = server.ask(None, as_client("mt", fields)).await;
        is_invalid_request(&response);
        // Other requests on this connection.
        let mut by_basic = with(post("token=rt1"), fields);
        let secret = basic("c1", "gX1fBat3bV").parse().unwrap();
        by_basic.headers_mut().insert("authorization", secret);
        is_invalid_request(&server.ask(None, by_basic).await);
    }
}

#[tokio::test]
async fn certificates_of_connection_and_field_together_are_refused() {
    let identity = of_mt();
    let field = sequence(&identity);
    let request = || as_client("mt", &[("client-cert", &field)]);
    let mut server = behind(trusting(CertificateFormat::ClientCert)).await;
    is_invalid_request(&server.ask(Some(&identity), request()).await);

    // A field of an untrusted peer counts as absent.
    let mut server = behind(distrusting(CertificateFormat::ClientCert)).await;
    let response = server.ask(Some(&identity), request()).await;
    assert_eq!(response.status, 200, "{response:?}");
    let stranger = CA.issue(&for_client(common_name("Somebody")));
    let response = server.ask(Some(&stranger), request()).await;
    is_refused(&response, Refusal::WrongCertificate);
}

#[tokio::test]
async fn unverified_certificate_works_only_for_registered_keys() {
    let mut server = behind(trusting(CertificateFormat::ClientCert).verified(false)).await;
    let mt = as_client("mt", &[("client-cert", &sequence(&of_mt()))]);
    let response = server.ask(None, mt).await;
    is_refused(&response, Refusal::UntrustedCertificate);
    let ss = as_client("ss", &[("client-cert", &sequence(&of_ss()))]);
    assert_eq!(server.ask(None, ss).await.status, 200);
}

#[tokio::test]
async fn nginx_states_whether_it_verified_the_certificate() {
    let forms = [
        (CertificateFormat::SslClientCert, "x-ssl-client"),
        (CertificateFormat::IngressSslClientCert, "ssl-client"),
    ];
    let (mt, ss) = (escaped(&of_mt()), escaped(&of_ss()));
    for (form, prefix) in forms {
        let (cert, verify) = (format!("{prefix}-cert"), format!("{prefix}-verify"));
        let mut server = behind(trusting(form)).await;
        for failed in ["FAILED", "FAILED:self-signed certificate"] {
            let fields = [(cert.as_str(), mt.as_str()), (&verify, failed)];
            let response = server.ask(None, as_client("mt", &fields)).await;
            is_refused(&response, Refusal::UntrustedCertificate);
            let fields = [(cert.as_str(), ss.as_str()), (&verify, failed)];
            let response = server.ask(None, as_client("ss", &fields)).await;
            assert_eq!(response.status, 200, "{form:?} {response:?}");
        }
        let fields = [(cert.as_str(), mt.as_str()), (&verify, "SUCCESS")];
        let response = server.ask(None, as_client("mt", &fields)).await;
        assert_eq!(response.status, 200, "{form:?} {response:?}");
        let fields = [(cert.as_str(), mt.as_str())];
        let response = server.ask(None, as_client("mt", &fields)).await;
        is_refused(&response, Refusal::UntrustedCertificate);
        let response = server
            .ask(None, as_client("mt", &[(&verify, "NONE")]))
            .await;
        is_refused(&response, Refusal::NoCertificate);
    }
}

#[tokio::test]
async fn certificate_is_read_from_the_envoy_field() {
    let cert = escaped(&of_mt());
    let element = format!("By=spiffe://as.example/as;Hash=00ff;Cert=\"{cert}\";URI=");
    let mut server = behind(trusting(CertificateFormat::ForwardedClientCert)).await;
    let request = as_client("mt", &[("x-forwarded-client-cert", &element)]);
    let response = server.ask(None, request).await;
    assert_eq!(response.status, 200, "{response:?}");

    // It is unclear which of them Envoy wrote.
    let two = format!("{element},{element}");
    let hash = "Hash=00ff;Subject=\"CN=client.example\"";
    for malformed in [two.as_str(), hash] {
        let request = as_client("mt", &[("x-forwarded-client-cert", malformed)]);
        is_invalid_request(&server.ask(None, request).await);
    }
}

#[tokio::test]
async fn fields_of_another_format_are_dropped() {
    let nginx = [
        ("x-ssl-client-cert", escaped(&of_mt())),
        ("x-ssl-client-verify", "SUCCESS".to_owned()),
    ];
    let nginx = nginx.each_ref().map(|(name, value)| (*name, &**value));
    let response = ask(
        trusting(CertificateFormat::ClientCert),
        as_client("mt", &nginx),
    )
    .await;
    is_refused(&response, Refusal::NoCertificate);
}
