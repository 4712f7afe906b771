//! Fields of nginx.

use tower_revocation::client::certificate::CertificateFormat;

use super::{escaped, is_malformed, layer, leaf, pem, read};

#[tokio::test]
async fn nginx_states_whether_it_verified() {
    let der = leaf();
    let pem = escaped(&pem(&der));
    for (form, cert, verify) in [
        (
            CertificateFormat::SslClientCert,
            "X-SSL-Client-Cert",
            "X-SSL-Client-Verify",
        ),
        (
            CertificateFormat::IngressSslClientCert,
            "ssl-client-cert",
            "ssl-client-verify",
        ),
    ] {
        for (verdict, is_verified) in [
            (&[(verify, "SUCCESS")][..], true),
            (&[(verify, "FAILED:self-signed certificate")], false),
            (&[(verify, "FAILED")], false),
            // No field states it.
            (&[], false),
        ] {
            let fields = [&[(cert, &*pem)], verdict].concat();
            let shown = read(&layer(form), &fields).await.unwrap();
            assert_eq!(shown.der(), der);
            assert_eq!(shown.is_verified(), is_verified, "{verdict:?}");
        }
        assert!(read(&layer(form), &[(verify, "NONE")]).await.is_none());
        assert!(
            read(&layer(form), &[(verify, "NONE"), (cert, "")])
                .await
                .is_none()
        );
    }
}

#[tokio::test]
async fn setting_does_not_override_a_failed_verification() {
    let pem = escaped(&pem(&leaf()));
    let says = async |verified, verdict: &'static str| {
        let layer = layer(CertificateFormat::SslClientCert).verified(verified);
        let fields = [
            ("x-ssl-client-cert", &*pem),
            ("x-ssl-client-verify", verdict),
        ];
        read(&layer, &fields).await.unwrap().is_verified()
    };

    assert!(!says(true, "FAILED:certificate has expired").await);
    assert!(!says(false, "SUCCESS").await);
    assert!(says(true, "").await);
}

#[tokio::test]
async fn ambiguous_nginx_field_is_malformed() {
    let text = pem(&leaf());
    let pem = escaped(&text);
    let layer = layer(CertificateFormat::SslClientCert);
    let (cert, verify) = ("x-ssl-client-cert", "x-ssl-client-verify");

    for value in [
        &format!("{pem}{pem}")[..],
        &format!("x{pem}"),
        &format!("{pem}x"),
        &format!("{pem}%"),
        &format!("{pem}%0"),
        &format!("{pem}%zz"),
        &format!("{pem}%+0"),
        &format!("{pem}%FF"),
        &pem.replace("CERTIFICATE", "PRIVATE%20KEY"),
        &pem[..pem.len() / 2],
        &escaped(&text.replace("MI", "M!")),
        &escaped(&escaped(&text)),
        "%20",
    ] {
        assert!(is_malformed(&layer, &[(cert, value)]).await, "{value}");
    }
    for fields in [
        &[(cert, &*pem), (cert, &*pem)][..],
        &[(cert, &pem), (verify, "SUCCESS"), (verify, "SUCCESS")],
        &[(cert, &pem), (verify, "success")],
        &[(cert, &pem), (verify, "NONE")],
        &[(verify, "SUCCESS")],
        &[(verify, "FAILED:reason")],
    ] {
        assert!(is_malformed(&layer, fields).await, "{fields:?}");
    }
}
