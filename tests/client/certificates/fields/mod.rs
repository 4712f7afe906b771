//! Certificates in the fields of trusted proxies (RFC 9440, Envoy, nginx).

mod envoy;
mod nginx;

use std::convert::Infallible;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::{Request, Response, header::HeaderName, http::request::Parts};
use rcgen::DistinguishedName;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::client::{
    PeerAddr,
    certificate::{
        CertificateFieldsLayer, CertificateFormat, ClientCertificate, MalformedCertificate,
    },
};

use super::{certificate, verified};

const TRUSTED: &str = "10.0.0.2:40000";

fn leaf() -> Vec<u8> {
    certificate(DistinguishedName::new(), Vec::new())
}

fn sequence(der: &[u8]) -> String {
    format!(":{}:", BASE64_STANDARD.encode(der))
}

fn pem(der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// Escaped as by `$ssl_client_escaped_cert` and Envoy.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn request(peer: Option<&str>, fields: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::new(());
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    if let Some(peer) = peer {
        request
            .extensions_mut()
            .insert(PeerAddr(peer.parse().unwrap()));
    }
    request
}

fn layer(form: CertificateFormat) -> CertificateFieldsLayer {
    CertificateFieldsLayer::new(form, ["10.0.0.0/8".parse().unwrap()])
}

/// The head of the request that the inner service receives.
async fn behind(layer: &CertificateFieldsLayer, request: Request<()>) -> Parts {
    let inner = service_fn(async |request: Request<()>| {
        Ok::<_, Infallible>(Response::new(request.into_parts().0))
    });
    layer
        .layer(inner)
        .oneshot(request)
        .await
        .unwrap()
        .into_body()
}

async fn read(
    layer: &CertificateFieldsLayer,
    fields: &[(&str, &str)],
) -> Option<ClientCertificate> {
    let head = behind(layer, request(Some(TRUSTED), fields)).await;
    assert!(head.headers.is_empty(), "{:?}", head.headers);
    assert_eq!(head.extensions.get::<MalformedCertificate>(), None);
    head.extensions.get().cloned()
}

async fn is_malformed(layer: &CertificateFieldsLayer, fields: &[(&str, &str)]) -> bool {
    let head = behind(layer, request(Some(TRUSTED), fields)).await;
    assert!(head.headers.is_empty(), "{:?}", head.headers);
    let malformed = head.extensions.get::<MalformedCertificate>().is_some();
    assert!(!malformed || head.extensions.get::<ClientCertificate>().is_none());
    malformed
}

#[tokio::test]
async fn trusted_proxy_is_believed() {
    // RFC 9440 §2.
    let (der, issuer) = (leaf(), leaf());
    let chain = format!("{}, {}", sequence(&issuer), sequence(&der));
    let fields = [
        ("client-cert", sequence(&der)),
        ("client-cert-chain", chain),
        ("client-cert-chain", sequence(&issuer)),
    ];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));

    let shown = read(&layer(CertificateFormat::ClientCert), &fields)
        .await
        .unwrap();
    assert_eq!(shown.der(), der);
    assert!(shown.is_verified());
    assert!(shown.intermediates().eq([&issuer[..], &der, &issuer]));
}

#[tokio::test]
async fn other_peers_are_not_believed() {
    let field = sequence(&leaf());
    let fields = [("client-cert", &*field), ("accept", "*/*")];
    let trusting = layer(CertificateFormat::ClientCert);

    for peer in [
        None,
        Some("192.0.2.7:40000"),
        Some("[2001:db8::1]:1"),
        Some("[::ffff:11.0.0.1]:1"),
    ] {
        let head = behind(&trusting, request(peer, &fields)).await;
        assert!(
            head.extensions.get::<ClientCertificate>().is_none(),
            "{peer:?}"
        );
        assert!(
            head.extensions.get::<MalformedCertificate>().is_none(),
            "{peer:?}"
        );
        assert_eq!(head.headers.len(), 1, "{peer:?}");
        assert_eq!(head.headers["accept"], "*/*");
    }
    let nobody = CertificateFieldsLayer::new(CertificateFormat::ClientCert, []);
    assert!(read(&nobody, &fields[..1]).await.is_none());
}

#[tokio::test]
async fn ipv4_mapped_peer_is_the_same_proxy() {
    let field = sequence(&leaf());
    let request = request(Some("[::ffff:10.0.0.2]:1"), &[("client-cert", &field)]);
    let head = behind(&layer(CertificateFormat::ClientCert), request).await;

    assert!(head.extensions.get::<ClientCertificate>().is_some());
}

#[tokio::test]
async fn fields_of_another_format_are_dropped() {
    let der = leaf();
    let (sequence, pem) = (sequence(&der), escaped(&pem(&der)));
    let xfcc = format!("Cert=\"{pem}\"");
    let fields = [
        (CertificateFormat::ClientCert, "client-cert", &sequence),
        (
            CertificateFormat::ForwardedClientCert,
            "x-forwarded-client-cert",
            &xfcc,
        ),
        (CertificateFormat::SslClientCert, "x-ssl-client-cert", &pem),
        (
            CertificateFormat::IngressSslClientCert,
            "ssl-client-cert",
            &pem,
        ),
    ];
    for (form, _, _) in fields {
        for (other, name, value) in fields {
            let shown = read(&layer(form), &[(name, value)]).await;
            assert_eq!(shown.is_some(), form == other, "{form:?}: {name}");
        }
    }
}

#[tokio::test]
async fn fields_with_underscores_are_dropped() {
    let field = sequence(&leaf());
    for name in [
        "client_cert",
        "Client_Cert_Chain",
        "x_forwarded-client_cert",
        "ssl_client_verify",
    ] {
        assert!(
            read(&layer(CertificateFormat::ClientCert), &[(name, &field)])
                .await
                .is_none()
        );
    }
}

#[tokio::test]
async fn ambiguous_rfc_9440_field_is_malformed() {
    let der = leaf();
    let one = sequence(&der);
    let two = format!("{one}, {one}");
    let parameter = format!("{one};a=1");
    let text = format!("\"{}\"", BASE64_STANDARD.encode(&der));
    let bare = BASE64_STANDARD.encode(&der);
    let longer = sequence(&[&der[..], b"\0"].concat());
    let large = sequence(&vec![0x30; 20 * 1024]);
    let nested = format!("({one})");
    let layer = layer(CertificateFormat::ClientCert);

    for value in [
        "",
        "::",
        ":$:",
        &two,
        &parameter,
        &text,
        &bare,
        &longer,
        &large,
        &nested,
        &pem(&der).replace('\n', ""),
    ] {
        assert!(
            is_malformed(&layer, &[("client-cert", value)]).await,
            "{value}"
        );
    }
    assert!(is_malformed(&layer, &[("client-cert", &one), ("client-cert", &one)]).await);
    // RFC 9440 §2.3: only together with Client-Cert.
    assert!(is_malformed(&layer, &[("client-cert-chain", &one)]).await);
    for chain in [&nested[..], "a", &text, &parameter, ":$:"] {
        let fields = [("client-cert", &*one), ("client-cert-chain", chain)];
        assert!(is_malformed(&layer, &fields).await, "{chain}");
    }
}

#[tokio::test]
async fn certificates_of_connection_and_field_together_are_malformed() {
    let field = sequence(&leaf());
    let of_the_connection = verified(&leaf());
    let layer = layer(CertificateFormat::ClientCert);

    for (peer, believed) in [(TRUSTED, false), ("192.0.2.7:1", true)] {
        let mut request = request(Some(peer), &[("client-cert", &field)]);
        request.extensions_mut().insert(of_the_connection.clone());
        let head = behind(&layer, request).await;
        let shown = head.extensions.get::<ClientCertificate>();
        assert_eq!(
            shown.map(ClientCertificate::der),
            believed.then_some(of_the_connection.der())
        );
        assert_eq!(
            head.extensions.get::<MalformedCertificate>().is_none(),
            believed
        );
    }
}

#[tokio::test]
async fn unverified_setting_marks_the_certificate_as_unverified() {
    let field = sequence(&leaf());
    let layer = layer(CertificateFormat::ClientCert).verified(false);

    let shown = read(&layer, &[("client-cert", &field)]).await.unwrap();
    assert!(!shown.is_verified());
}
