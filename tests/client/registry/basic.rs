//! Decoding of Basic credentials (RFC 6749 §2.3.1, RFC 7617 §2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tower_revocation::client::registry::{BasicDecoding, Client};

use super::{EXAMPLE, by_basic, digest, encoded, example, only, raw};

/// RFC 9110 §11.4: `1*SP`
#[tokio::test]
async fn spaces_after_the_scheme_are_accepted_and_a_tab_is_not() {
    let clients = only(example());
    let spaces = EXAMPLE.replacen(' ', "  ", 1);
    assert_eq!(by_basic(&clients, &spaces).await, 200);
    let tab = EXAMPLE.replacen(' ', "\t", 1);
    assert_eq!(by_basic(&clients, &tab).await, 401);
}

#[tokio::test]
async fn basic_is_form_decoded_unless_the_client_is_registered_as_raw() {
    let secrets = [
        (
            "1PpG/Q 1",
            "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=",
        ),
        ("plus:", "a+b c%d:e"),
        ("https://client.example/app", "s3cr3t"),
    ];
    for (client_id, secret) in secrets {
        let client = Client::confidential(client_id, digest(secret));
        let registered = |decoding| {
            only(
                client
                    .clone()
                    .into_builder()
                    .basic_decoding(decoding)
                    .build(),
            )
        };
        let encoded = encoded(client_id, secret);
        let raw = raw(client_id, secret);

        let form = registered(BasicDecoding::Form);
        assert_eq!(by_basic(&form, &encoded).await, 200, "{client_id}");
        assert_eq!(by_basic(&form, &raw).await, 401, "{client_id}");

        let raw_only = registered(BasicDecoding::Raw);
        assert_eq!(by_basic(&raw_only, &encoded).await, 401, "{client_id}");
        // An identifier with a colon cannot be sent raw, because the first colon ends it.
        let sent_raw = if client_id.contains(':') { 401 } else { 200 };
        assert_eq!(by_basic(&raw_only, &raw).await, sent_raw, "{client_id}");

        let either = registered(BasicDecoding::FormThenRaw);
        assert_eq!(by_basic(&either, &encoded).await, 200, "{client_id}");
        assert_eq!(by_basic(&either, &raw).await, sent_raw, "{client_id}");
    }
}

#[tokio::test]
async fn raw_secret_with_a_plus_differs_from_the_form_decoded_one() {
    const SENT: &str =
        "Basic MVBwRy9RIDE6ei90WjlWd0ZacUFwbUlRK1pIMUk1cExrL3VCNHVkOlgyLzhiTCt3ZkZUdDFyRnc9";
    let secret = "z/tZ9VwFZqApmIQ+ZH1I5pLk/uB4ud:X2/8bL+wfFTt1rFw=";
    assert_eq!(raw("1PpG/Q 1", secret), SENT);
    let client = Client::confidential("1PpG/Q 1", digest(secret));
    assert_eq!(by_basic(&only(client.clone()), SENT).await, 401);
    let either = only(
        client
            .into_builder()
            .basic_decoding(BasicDecoding::FormThenRaw)
            .build(),
    );
    assert_eq!(by_basic(&either, SENT).await, 200);
}

#[tokio::test]
async fn broken_escape_is_valid_only_in_a_raw_secret() {
    const SENT: &str = "Basic cGx1czphK2IgYyVkOmU=";
    assert_eq!(raw("plus", "a+b c%d:e"), SENT);
    let client = Client::confidential("plus", digest("a+b c%d:e"));
    assert_eq!(by_basic(&only(client.clone()), SENT).await, 401);
    let either = only(
        client
            .into_builder()
            .basic_decoding(BasicDecoding::FormThenRaw)
            .build(),
    );
    assert_eq!(by_basic(&either, SENT).await, 200);
}

#[tokio::test]
async fn basic_is_split_at_the_first_colon() {
    const SENT: &str = "Basic aHR0cHM6Ly9jbGllbnQuZXhhbXBsZS9hcHA6czNjcjN0";
    for decoding in [
        BasicDecoding::Form,
        BasicDecoding::Raw,
        BasicDecoding::FormThenRaw,
    ] {
        let client = Client::confidential("https://client.example/app", digest("s3cr3t"));
        let clients = only(client.into_builder().basic_decoding(decoding).build());
        assert_eq!(by_basic(&clients, SENT).await, 401);
    }
    let https = only(Client::confidential(
        "https",
        digest("//client.example/app:s3cr3t"),
    ));
    assert_eq!(by_basic(&https, SENT).await, 200);
}

#[tokio::test]
async fn secret_outside_ascii_is_compared_as_utf_8_bytes() {
    const SENT: &str = "Basic a2zDr2VudDpww6TCo+KCrA==";
    let (client_id, secret) = ("kl\u{ef}ent", "p\u{e4}\u{a3}\u{20ac}");
    assert_eq!(raw(client_id, secret), SENT);
    let clients = only(Client::confidential(client_id, digest(secret)));
    assert_eq!(by_basic(&clients, SENT).await, 200);
    assert_eq!(by_basic(&clients, &encoded(client_id, secret)).await, 200);

    let latin_1 = format!("Basic {}", STANDARD.encode(b"kl\xefent:p\xe4\xa3"));
    assert_eq!(by_basic(&clients, &latin_1).await, 401);
    let decomposed = raw(client_id, "pa\u{308}\u{a3}\u{20ac}");
    assert_eq!(by_basic(&clients, &decomposed).await, 401);
}

#[tokio::test]
async fn malformed_basic_or_wrong_secret_is_401() {
    let either = example()
        .into_builder()
        .basic_decoding(BasicDecoding::FormThenRaw)
        .build();
    for clients in [only(example()), only(either)] {
        for authorization in [
            "Basic czZCaGRSa3F0Mzr//g==",             // not UTF-8
            "Basic czZCaGRSa3F0MzolRkY=",             // %FF
            "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JWCg==", // a line break at the end
            "Basic czZCaGRSa3F0Mw==",                 // no colon
            "Basic OmdYMWZCYXQzYlY=",                 // no identifier
            "Basic czZCaGRSa3F0Mzo=",                 // no secret
            "Basic bm9ib2R5OmdYMWZCYXQzYlY=",         // nobody
            &raw("s6BhdRkqt3", "hX1fBat3bV"),         // the first byte differs
            &raw("s6BhdRkqt3", "gX1fBat3bW"),         // the last one
            &raw("s6BhdRkqt3", "gX1fBat3b"),
            &raw("S6BHDRKQT3", "gX1fBat3bV"),
        ] {
            assert_eq!(
                by_basic(&clients, authorization).await,
                401,
                "{authorization}"
            );
        }
        assert_eq!(by_basic(&clients, EXAMPLE).await, 200);
    }
}
