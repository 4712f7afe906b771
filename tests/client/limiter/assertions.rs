//! The client that an assertion claims counts like a `client_id`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tower_revocation::{Secret, client::Credentials};

#[test]
fn subject_of_an_assertion_is_counted() {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let assertion = |client_assertion: String| Credentials::Assertion {
        client_id: None,
        client_assertion_type: "jwt-bearer".to_owned(),
        client_assertion: Secret::from(client_assertion),
    };
    let forged = format!(
        "{}.{}.AAAA",
        encode(r#"{"alg":"ES256"}"#),
        encode(r#"{"iss":"a","sub":"pk-client"}"#)
    );
    let forged = assertion(forged);
    assert_eq!(forged.claimed_client_id().as_deref(), Some("pk-client"));
    assert_eq!(assertion("garbage".to_owned()).claimed_client_id(), None);
}
