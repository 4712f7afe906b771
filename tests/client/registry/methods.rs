//! Registered methods (RFC 7591 §2), and public clients (RFC 6749 §2.1, RFC 7009 §5).

use hyper::{Request, StatusCode};
use tower_revocation::client::{
    AuthMethod, Basic, Credentials,
    registry::{Client, ClientAuthenticator, Clients, Registry},
};

use super::{EXAMPLE, by_basic, by_body, digest, example, hours, only, raw, revoke};

#[tokio::test]
async fn example_of_rfc_7009_is_accepted() {
    assert_eq!(by_basic(&only(example()), EXAMPLE).await, 200);
    let body = "token=rt1&client_id=s6BhdRkqt3";
    let authenticator = ClientAuthenticator::new(only(example()));
    let response = revoke(&authenticator, Some(EXAMPLE), body).await;
    assert_eq!(response.status, StatusCode::OK);
}

/// RFC 7591 §2, `token_endpoint_auth_method`
#[tokio::test]
async fn registered_methods_are_binding() {
    let in_body = "client_id=s6BhdRkqt3&client_secret=gX1fBat3bV";
    let basic = only(example());
    assert_eq!(by_basic(&basic, EXAMPLE).await, 200);
    assert_eq!(by_body(&basic, in_body).await, 401);

    let post = only(
        example()
            .into_builder()
            .auth_methods([AuthMethod::ClientSecretPost])
            .build(),
    );
    assert_eq!(by_basic(&post, EXAMPLE).await, 401);
    assert_eq!(by_body(&post, in_body).await, 200);

    let both = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
    let both = only(example().into_builder().auth_methods(both).build());
    assert_eq!(by_basic(&both, EXAMPLE).await, 200);
    assert_eq!(by_body(&both, in_body).await, 200);
}

#[tokio::test]
async fn secret_in_the_body_is_form_decoded_once() {
    let clients = Registry::from_json(
        r#"{ "client_id": "post-client2", "client_secret": "a+b c%d:e",
             "token_endpoint_auth_method": "client_secret_post" }"#,
    )
    .unwrap();
    let right = "client_id=post-client2&client_secret=a%2Bb+c%25d%3Ae";
    assert_eq!(by_body(&clients, right).await, 200);
    let twice = "client_id=post-client2&client_secret=a%252Bb%2Bc%2525d%253Ae";
    assert_eq!(by_body(&clients, twice).await, 401);
}

#[tokio::test]
async fn unsupported_method_is_registered_and_refused() {
    const SECRET: &str = "gX1fBat3bVgX1fBat3bVgX1fBat3bVgX1fBat3bV";
    for (method, needs) in [
        (
            "private_key_jwt",
            r#""jwks_uri": "https://client.example/keys""#,
        ),
        (
            "client_secret_jwt",
            r#""token_endpoint_auth_signing_alg": "HS256""#,
        ),
        (
            "tls_client_auth",
            r#""tls_client_auth_san_dns": "client.example""#,
        ),
        (
            "self_signed_tls_client_auth",
            r#""jwks_uri": "https://client.example/keys""#,
        ),
        ("foo", r#""bar": 1"#),
    ] {
        let document = format!(
            r#"{{ "client_id": "s6BhdRkqt3", "client_secret": "{SECRET}",
                  "token_endpoint_auth_method": "{method}", {needs} }}"#
        );
        let clients = Registry::from_json(&document).unwrap();
        assert_eq!(
            by_basic(&clients, &raw("s6BhdRkqt3", SECRET)).await,
            401,
            "{method}"
        );
        for body in [
            "client_id=s6BhdRkqt3&client_secret=gX1fBat3bVgX1fBat3bVgX1fBat3bVgX1fBat3bV",
            "client_id=s6BhdRkqt3",
            "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion=e30.e30.&client_id=s6BhdRkqt3",
        ] {
            assert_eq!(by_body(&clients, body).await, 401, "{method}: {body}");
        }
    }
}

/// RFC 6749 §2.1, RFC 7009 §5
#[tokio::test]
async fn public_client_sends_its_id_in_the_body_and_no_secret() {
    let clients = only(Client::public("spa-1"));
    assert_eq!(by_body(&clients, "client_id=spa-1").await, 200);
    assert_eq!(by_body(&clients, "client_id=SPA-1").await, 401);
    assert_eq!(
        by_body(&clients, "client_id=spa-1&client_secret=x").await,
        401
    );
    assert_eq!(by_basic(&clients, "Basic c3BhLTE6").await, 401);
    let disabled = only(
        Client::public("spa-1")
            .into_builder()
            .disabled(true)
            .build(),
    );
    assert_eq!(by_body(&disabled, "client_id=spa-1").await, 401);
}

#[tokio::test]
async fn client_with_a_secret_must_present_it() {
    let methods = [AuthMethod::None, AuthMethod::ClientSecretBasic];
    let clients = only(
        example()
            .into_builder()
            .auth_methods(methods)
            .secret_expires_at(hours(-1))
            .build(),
    );
    assert_eq!(by_body(&clients, "client_id=s6BhdRkqt3").await, 401);
}

#[tokio::test]
async fn insert_replaces_the_client_and_does_not_change_clones() {
    let mut clients = only(example());
    let before = clients.clone();
    let replaced = clients.insert(Client::confidential("s6BhdRkqt3", digest("new")));
    assert_eq!(replaced.unwrap().client_id(), "s6BhdRkqt3");
    assert!(clients.insert(Client::public("spa-1")).is_none());

    assert_eq!(by_basic(&clients, EXAMPLE).await, 401);
    assert_eq!(by_basic(&clients, &raw("s6BhdRkqt3", "new")).await, 200);
    assert_eq!(by_basic(&before, EXAMPLE).await, 200);
    assert!(before.client("spa-1").await.unwrap().is_none());
}

#[tokio::test]
async fn other_endpoints_can_share_the_authenticator() {
    let authenticator = ClientAuthenticator::new(only(example()));
    let basic = Credentials::Basic(Basic::new("s6BhdRkqt3:gX1fBat3bV").unwrap());
    let client = authenticator.authenticate(&Request::new(basic)).await;
    assert_eq!(client.unwrap().client_id(), "s6BhdRkqt3");
}
