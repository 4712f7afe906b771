//! Which credentials are forwarded?

use super::*;

/// Makes an assertion or a proof with an invalid signature.
fn jws(claims: &Value) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "ES256" })), part(claims))
}

#[tokio::test]
async fn credentials_are_forwarded_unchanged() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let assertion = jws(&json!({ "sub": "c1", "aud": ["https://as.example.com"] }));
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for (authorization, credentials) in [
        // `c1:s`, a form-encoded secret, a raw secret, a secret with a colon.
        (Some("Basic YzE6cw=="), String::new()),
        (Some("Basic YzE6YSUyQmIlMjVj"), String::new()),
        (Some("Basic YzE6YStiIGMlZDpl"), String::new()),
        (Some("Basic YzE6cw=="), "client_id=c1".to_owned()),
        (None, "client_id=c1".to_owned()),
        (
            None,
            "client_id=c1&client_secret=a%2Bb+c%25d%3Ae".to_owned(),
        ),
        (None, "client_id=c%C3%A91&client_secret=%26%3D".to_owned()),
        (
            None,
            format!("client_id=c1&client_assertion_type={jwt_bearer}&client_assertion={assertion}"),
        ),
        (
            None,
            format!("client_assertion_type={jwt_bearer}&client_assertion={assertion}"),
        ),
    ] {
        let token = "token=refresh.c1.g1&token_type_hint=refresh_token";
        let mut request = form(format!("{token}&{credentials}"));
        if let Some(value) = authorization {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let response = send(&backend, request).await;
        let seen = server.requests().pop().unwrap();
        let expected = [token, &*credentials].join("&");
        let expected = expected.trim_end_matches('&');
        assert_eq!(seen.body, expected, "{authorization:?} {credentials}");
        let sent = seen.headers.get(AUTHORIZATION);
        assert_eq!(sent.map(|field| field.to_str().unwrap()), authorization);
        assert_eq!(
            (seen.method, &*seen.path),
            (Method::POST, "/introspect?tenant=1")
        );
        assert!(
            matches!(response.status.as_u16(), 200 | 400),
            "{credentials}"
        );
    }
}

#[tokio::test]
async fn fields_of_an_attestation_are_forwarded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let attestation = jws(&json!({ "sub": "c1" }));
    let proof = jws(&json!({ "aud": "https://as.example.com" }));
    let mut request = form(C1);
    let headers = request.headers_mut();
    headers.insert(Credentials::ATTESTATION, attestation.parse().unwrap());
    headers.insert(Credentials::ATTESTATION_POP, proof.parse().unwrap());
    assert_eq!(send(&backend, request).await.status, 200);
    let seen = server.requests().pop().unwrap();
    assert_eq!(seen.headers[Credentials::ATTESTATION], attestation);
    assert_eq!(seen.headers[Credentials::ATTESTATION_POP], proof);
    assert_eq!(recorded(&log).await, [token_selector("refresh.c1.g1")]);
}

#[tokio::test]
async fn proof_for_another_audience_is_refused_and_not_forwarded() {
    let server = success().await;
    let (backend, log) = forward(&server);
    let jwt_bearer = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    for claims in [
        json!({ "sub": "c1", "aud": "https://gateway.example.com" }),
        json!({ "sub": "c1", "aud": "https://as.example.com/" }),
        json!({ "sub": "c1", "aud": ["https://gateway.example.com", "HTTPS://as.example.com"] }),
        json!({ "sub": "c1", "aud": 1 }),
        json!({ "sub": "c1" }),
    ] {
        let proof = jws(&claims);
        let assertion = form(format!(
            "{C1}&client_assertion_type={jwt_bearer}&client_assertion={proof}"
        ));
        let mut attestation = form(C1);
        let headers = attestation.headers_mut();
        headers.insert(Credentials::ATTESTATION, proof.parse().unwrap());
        headers.insert(Credentials::ATTESTATION_POP, proof.parse().unwrap());
        for request in [assertion, attestation] {
            let response = send(&backend, request).await;
            assert_eq!(
                (response.status.as_u16(), &*response.error),
                (401, "invalid_client")
            );
        }
    }
    assert_eq!(server.asked(), 0);
    assert_eq!(recorded(&log).await, []);
}

#[tokio::test]
async fn request_without_a_client_is_refused_and_not_forwarded() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let response = send(&backend, form("token=refresh.c1.g1")).await;
    assert_eq!(
        (response.status.as_u16(), &*response.error),
        (401, "invalid_client")
    );
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn no_secret_is_printed() {
    let server = success().await;
    let (backend, _) = forward(&server);
    let authenticate = UnverifiedClients::new();
    let head = Request::post("/").body(()).unwrap().into_parts().0;
    let body = b"client_id=c1&client_secret=s3cr3t";
    let request = Credentials::from_request(head, body).unwrap();
    let client = authenticate.oneshot(request).await.unwrap().unwrap();
    assert!(!format!("{client:?} {backend:?}").contains("s3cr3t"));
}
