//! Fields of Envoy.

use tower_revocation::client::certificate::CertificateFormat;

use super::{escaped, is_malformed, layer, leaf, pem, read};

#[tokio::test]
async fn certificate_is_read_from_other_envoy_elements() {
    let (der, issuer) = (leaf(), leaf());
    let (cert, chain) = (escaped(&pem(&der)), escaped(&(pem(&der) + &pem(&issuer))));
    let layer = layer(CertificateFormat::ForwardedClientCert);
    for value in [
        format!("Cert=\"{cert}\""),
        format!("cert={cert};CHAIN={chain}"),
        format!(
            r#"By=spiffe://a;By=b;Hash=0f;Subject="CN=\"a\",O=b;c";URI=;Cert="{cert}";Chain="{chain}";DNS=a;DNS=b"#
        ),
    ] {
        let shown = read(&layer, &[("x-forwarded-client-cert", &value)])
            .await
            .unwrap();
        assert_eq!(shown.der(), der);
        assert!(shown.is_verified());
        if value.to_ascii_lowercase().contains("chain=") {
            assert!(shown.intermediates().eq([&issuer[..]]));
        }
    }
}

#[tokio::test]
async fn ambiguous_envoy_field_is_malformed() {
    let cert = escaped(&pem(&leaf()));
    let one = format!("Cert=\"{cert}\"");
    let layer = layer(CertificateFormat::ForwardedClientCert);
    for value in [
        "",
        "Hash=0f",
        "Cert",
        "Cert=",
        "Cert=\"\"",
        "=a",
        // The client may have written the first one.
        &format!("{one},{one}"),
        &format!("Hash=0f,{one}"),
        &format!("{one},"),
        &format!("{one};"),
        &format!("{one};{one}"),
        &format!("{one}x"),
        &format!("{one}\""),
        &format!("Cert=\"{cert}"),
        &format!("Cert=\"{cert}\\"),
        &format!("Cert=\"{cert}{cert}\""),
        &format!("{one};Chain=%zz"),
        &format!("Subject=\"a;{one}"),
    ] {
        assert!(
            is_malformed(&layer, &[("x-forwarded-client-cert", value)]).await,
            "{value}"
        );
    }
    let name = "x-forwarded-client-cert";
    assert!(is_malformed(&layer, &[(name, &one), (name, &one)]).await);
}
