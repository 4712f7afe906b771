//! Any bytes as the header fields in which a proxy sends a certificate, and as its names.
//!
//! ```sh
//! cargo fuzz run --sanitizer none certificate_fields fuzz/corpus/certificate_fields fuzz/seeds/certificate_fields
//! ```
//!
//! The first byte selects the form, and whether the peer is trusted. The rest is one field in each
//! line. `@` stands for a certificate in base64, `#` for one in URL-encoded PEM.

#![no_main]

use std::{convert::Infallible, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::FutureExt as _;
use hyper::{
    Request,
    header::{HeaderName, HeaderValue},
};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::client::{
    PeerAddr,
    certificate::{
        CertificateFieldsLayer, CertificateFormat, CertificateSubject, ClientCertificate,
        MalformedCertificate,
    },
    registry::Registry,
};

static CERTIFICATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["client.example".to_owned()]).unwrap();
    made.cert.der().to_vec()
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    if let Ok(text) = std::str::from_utf8(rest) {
        names(text);
    }
    let _ = ClientCertificate::unverified(rest);
    fields(choice, rest);
});

fn names(text: &str) {
    let certificate = ClientCertificate::unverified(CERTIFICATE.clone()).unwrap();
    let _ = Registry::from_json(text);
    for subject in [
        CertificateSubject::subject_dn(text),
        CertificateSubject::san_dns(text),
        CertificateSubject::san_uri(text),
        CertificateSubject::san_ip(text),
        CertificateSubject::san_email(text),
    ]
    .into_iter()
    .flatten()
    {
        assert!(registers(subject.parameter(), text), "{text}");
        if subject.matches(&certificate) {
            let text = text.to_lowercase();
            assert!(text == "client.example" || text.contains('='), "{text}");
        }
    }
}

/// Whether a client can be registered with this name.
fn registers(member: &str, name: &str) -> bool {
    let mut client = json!({
        "client_id": "c",
        "token_endpoint_auth_method": "tls_client_auth",
    });
    client[member] = name.into();
    Registry::from_json(&client.to_string()).is_ok()
}

/// The fields that no inner service may read.
const FIELDS: [&str; 7] = [
    "client-cert",
    "client-cert-chain",
    "x-forwarded-client-cert",
    "x-ssl-client-cert",
    "x-ssl-client-verify",
    "ssl-client-cert",
    "ssl-client-verify",
];

fn fields(choice: u8, lines: &[u8]) {
    let form = match choice & 3 {
        0 => CertificateFormat::ClientCert,
        1 => CertificateFormat::ForwardedClientCert,
        2 => CertificateFormat::SslClientCert,
        _ => CertificateFormat::IngressSslClientCert,
    };
    let trusted = choice & 4 != 0;
    let base64 = STANDARD.encode(&*CERTIFICATE);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    let pem = pem
        .replace('\n', "%0A")
        .replace('+', "%2B")
        .replace(' ', "%20");

    let mut request = Request::new(());
    let peer = if trusted { "10.0.0.1:1" } else { "192.0.2.1:1" };
    request
        .extensions_mut()
        .insert(PeerAddr(peer.parse().unwrap()));
    for line in lines.split(|&byte| byte == b'\n') {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        let mut written = Vec::new();
        for byte in value {
            match byte {
                b'@' => written.extend_from_slice(base64.as_bytes()),
                b'#' => written.extend_from_slice(pem.as_bytes()),
                byte => written.push(*byte),
            }
        }
        let name = HeaderName::from_bytes(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&written)) {
            if request.headers_mut().try_append(name, value).is_err() {
                return;
            }
        }
    }

    let behind = service_fn(async |request: Request<()>| Ok::<_, Infallible>(request));
    let layer = CertificateFieldsLayer::new(form, ["10.0.0.0/8".parse().unwrap()]);
    let answer = layer.layer(behind).oneshot(request).now_or_never();
    let Ok(request) = answer.expect("nothing waits for anything");
    for name in request.headers().keys() {
        let name = name.as_str().replace('_', "-");
        assert!(!FIELDS.contains(&name.as_str()), "{name}");
    }
    let extensions = request.extensions();
    let certificate = extensions.get::<ClientCertificate>();
    let malformed = extensions.get::<MalformedCertificate>();
    assert!(certificate.is_none() || malformed.is_none());
    assert!(trusted || certificate.is_none() && malformed.is_none());
}
