//! Credentials in the `Authorization` field and in the body (RFC 6749 §2.3, RFC 7617).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header, header::HeaderValue};
use tower_revocation::client::{AcceptedMethods, AuthMethod, Credentials};

use super::fixture::{C1, FullResponse, Layer, World, send, with};

fn authorized(value: impl AsRef<[u8]>, body: &str) -> Request<Full<Bytes>> {
    let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
    with(body.to_owned(), |head| {
        head.header(header::AUTHORIZATION, value)
    })
}

async fn response(value: impl AsRef<[u8]>, body: &str) -> FullResponse {
    World::new().send(authorized(value, body)).await
}

#[tokio::test]
async fn scheme_is_case_insensitive_and_any_number_of_spaces_follows() {
    for value in [
        C1,
        "basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
        "BASIC   czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    ] {
        response(value, "token=RT1").await.assert_ok();
    }
    response("Basic\tczZCaGRSa3F0MzpnWDFmQmF0M2JW", "token=RT1")
        .await
        .assert_unauthorized();
}

#[tokio::test]
async fn malformed_basic_credentials_are_a_failed_authentication() {
    let long = STANDARD.encode("a:".to_owned() + &"b".repeat(64 * 1024));
    let values: [&[u8]; 14] = [
        b"Basic",
        b"Basic ",
        b"Basic ***",
        b"Basic czZCaGRSa3F0MzpnWDFmQmF0M2J",
        b"Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW=",
        // Not UTF-8, no colon, no identifier, no secret, and a line break at the end.
        b"Basic czZCaGRSa3F0Mzr//g==",
        b"Basic czZCaGRSa3F0Mw==",
        b"Basic OmdYMWZCYXQzYlY=",
        b"Basic czZCaGRSa3F0Mzo=",
        b"Basic czZCaGRSa3F0MzpnWDFmQmF0M2JWCg==",
        // A broken escape, and an escape that is not UTF-8.
        b"Basic cGx1czphK2IgYyVkOmU=",
        b"Basic czZCaGRSa3F0MzolRkY=",
        b"Basic \xff\xfe",
        format!("Basic {long}").leak().as_bytes(),
    ];
    for value in values {
        response(value, "token=RT1").await.assert_unauthorized();
    }
}

#[tokio::test]
async fn first_colon_separates_id_and_secret() {
    let world = World::new();
    let value = format!(
        "Basic {}",
        STANDARD.encode("https://client.example/app:s3cr3t")
    );
    world
        .send(authorized(value, "token=RT1"))
        .await
        .assert_unauthorized();
    let presented = world.authentications.lock().unwrap();
    let Credentials::Basic(basic) = &presented[0] else {
        panic!()
    };
    assert_eq!(basic.raw().unwrap().0, "https");
}

#[tokio::test]
async fn other_schemes_do_not_authenticate() {
    for value in [
        "Digest username=\"s6BhdRkqt3\"",
        "Bearer AT1",
        "DPoP AT1",
        "Negotiate abc",
        "",
    ] {
        response(value, "token=AT1").await.assert_unauthorized();
    }
    let request = with("token=RT1", |head| {
        head.header(header::PROXY_AUTHORIZATION, C1)
    });
    World::new().send(request).await.assert_unauthorized();
}

#[tokio::test]
async fn bearer_beside_a_client_in_the_body_is_ignored() {
    for scheme in ["Bearer", "bearer", "DPoP"] {
        let world = World::new();
        let request = authorized(format!("{scheme} AT1"), "token=RTpub&client_id=spa-1");
        world.send(request).await.assert_ok();
        assert!(!world.is_live("RTpub"));
    }
    // Any other scheme is a failed authentication.
    response("Digest x", "token=RTpub&client_id=spa-1")
        .await
        .assert_unauthorized();
}

#[tokio::test]
async fn two_methods_are_an_invalid_request_even_if_equal() {
    let bodies = [
        "token=RT1&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV",
        "token=RT1&client_secret=gX1fBat3bV",
        "token=RT1&client_assertion=a.b.c",
    ];
    for body in bodies {
        for value in [C1, "Basic ***", "Digest x"] {
            response(value, body).await.assert_invalid_request();
        }
    }
    let body = "token=RT1&client_id=post-client&client_secret=p0st&client_assertion=a.b.c";
    World::new().bare(body).await.assert_invalid_request();
}

#[tokio::test]
async fn lenient_layer_accepts_equal_credentials_twice() {
    let lenient = |world: &std::sync::Arc<World>| world.layer().lenient_double_credentials(true);
    let world = World::new();
    let body = "token=RT1&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV";
    send(lenient(&world), authorized(C1, body))
        .await
        .assert_ok();
    let others = [
        "token=RT1&client_id=s6BhdRkqt3&client_secret=gX1fBat3bv",
        "token=RT1&client_id=c2&client_secret=gX1fBat3bV",
        "token=RT1&client_secret=gX1fBat3bV",
        "token=RT1&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV&client_assertion=a",
    ];
    for body in others {
        send(lenient(&world), authorized(C1, body))
            .await
            .assert_invalid_request();
    }
}

#[tokio::test]
async fn equal_client_id_beside_basic_is_accepted() {
    response(C1, "token=RT1&client_id=s6BhdRkqt3")
        .await
        .assert_ok();
    response(C1, "token=RT1&client_id=").await.assert_ok();
    response(C1, "token=RT1&client_id=c2")
        .await
        .assert_invalid_request();
    // Raw or form-encoded: the registration of the client decides which.
    for user_pass in ["my%20app:s", "my%20app:%s"] {
        let value = format!("Basic {}", STANDARD.encode(user_pass));
        for client_id in ["my%2520app", "my%20app"] {
            let body = format!("token=RT1&client_id={client_id}");
            response(&value, &body).await.assert_unauthorized();
        }
        response(&value, "token=RT1&client_id=other")
            .await
            .assert_invalid_request();
    }
}

#[tokio::test]
async fn client_id_in_the_body_selects_the_decoding_of_basic() {
    let world = World::new();
    let value = format!("Basic {}", STANDARD.encode("a%2Bb:secret"));
    world
        .send(authorized(&value, "token=x&client_id=a%2Bb"))
        .await;
    world
        .send(authorized(&value, "token=x&client_id=a%252Bb"))
        .await;
    let presented = world.authentications.lock().unwrap();
    let readings: Vec<_> = presented
        .iter()
        .map(|credentials| match credentials {
            Credentials::Basic(basic) => (basic.form_decoded().is_some(), basic.raw().is_some()),
            _ => panic!(),
        })
        .collect();
    assert_eq!(readings, [(true, false), (false, true)]);
}

#[tokio::test]
async fn secret_without_a_client_and_assertion_without_a_type_are_failed_authentications() {
    let world = World::new();
    world
        .bare("token=RT1&client_secret=p0st")
        .await
        .assert_unauthorized();
    world
        .bare("token=RT1&client_assertion=a.b.c")
        .await
        .assert_unauthorized();
    assert!(world.authentications.lock().unwrap().is_empty());
    // An empty secret counts as missing, and then only the `client_id` is left.
    world
        .bare("token=RTp&client_id=post-client&client_secret=")
        .await
        .assert_unauthorized();
}

#[tokio::test]
async fn assertion_reaches_the_authenticator_with_any_features() {
    let world = World::new();
    world
        .bare("token=RT1&client_assertion_type=urn%3Ax&client_assertion=a.b.c")
        .await;
    match &world.authentications.lock().unwrap()[..] {
        [
            Credentials::Assertion {
                client_id: None,
                client_assertion_type,
                client_assertion,
            },
        ] => {
            assert_eq!(
                (&**client_assertion_type, client_assertion.expose()),
                ("urn:x", "a.b.c")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn authenticator_sees_the_head_without_the_authorization_field() {
    let world = World::new();
    let mut request = authorized(C1, "token=RT1");
    request
        .headers_mut()
        .insert("x-tenant", HeaderValue::from_static("a"));
    request.extensions_mut().insert(4711_u32);
    world.send(request).await.assert_ok();
    let heads = world.heads.lock().unwrap();
    assert!(!heads[0].headers.contains_key(header::AUTHORIZATION));
    assert_eq!(heads[0].headers["x-tenant"], "a");
    assert_eq!(heads[0].extensions.get::<u32>(), Some(&4711));
    assert_eq!(heads[0].uri.path(), "/revoke");
}

#[tokio::test]
async fn disabled_methods_are_refused_before_the_authenticator() {
    let world = World::new();
    let accepting =
        |methods: &[AuthMethod]| -> Layer { world.layer().auth_methods(methods.to_vec()) };
    let post = "token=RTp&client_id=post-client&client_secret=p0st";
    let layer = accepting(&[AuthMethod::ClientSecretBasic]);
    send(layer.clone(), with(post, |head| head))
        .await
        .assert_unauthorized();
    let public = "token=RTpub&client_id=spa-1";
    send(layer.clone(), with(public, |head| head))
        .await
        .assert_unauthorized();
    assert!(world.authentications.lock().unwrap().is_empty());
    send(layer, authorized(C1, "token=RT1")).await.assert_ok();
}

#[tokio::test]
async fn authenticator_learns_the_accepted_methods() {
    let world = World::new();
    let some = [AuthMethod::ClientSecretBasic, AuthMethod::PrivateKeyJwt];
    for layer in [world.layer(), world.layer().auth_methods(some)] {
        let mut request = authorized(C1, "token=RT1");
        // Of an endpoint around this one.
        request.extensions_mut().insert(AcceptedMethods::new([]));
        send(layer, request).await.assert_ok();
    }
    let heads = world.heads.lock().unwrap();
    let accepted = heads
        .iter()
        .map(|head| AcceptedMethods::of(&head.extensions));
    let expected = [AcceptedMethods::ALL, AcceptedMethods::new(some)];
    assert_eq!(accepted.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn without_basic_a_failure_is_401_only_for_the_authorization_field() {
    let world = World::new();
    let layer = || {
        world
            .layer()
            .auth_methods([AuthMethod::ClientSecretPost, AuthMethod::None])
    };
    let body = "token=RTp&client_id=post-client&client_secret=bad";
    let response = send(layer(), with(body, |head| head)).await;
    response.assert_error(400, "invalid_client");
    assert_eq!(response.header(header::WWW_AUTHENTICATE), None);
    send(layer(), authorized(C1, "token=RT1"))
        .await
        .assert_unauthorized();
}
