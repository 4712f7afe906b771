//! The strict parser of the form (RFC 6749 §3.2 and §B).

use proptest::prelude::*;
use tower_revocation::client::Basic;

use super::fixture::World;

#[tokio::test]
async fn missing_or_empty_token_is_an_invalid_request() {
    let world = World::new();
    for body in [
        "",
        "token=",
        "token",
        "x=y",
        "{\"token\":\"RT1\"}",
        "\u{feff}token=RT1",
        "TOKEN=RT1",
    ] {
        world.form(body).await.assert_invalid_request();
    }
    assert_eq!(world.looked_up(), 0);
}

#[tokio::test]
async fn repeated_known_parameters_are_refused_even_if_equal() {
    let world = World::new();
    let bodies = [
        "token=RT1&token=RT1",
        "token=RT1&token=",
        "tok%65n=RT1&token=AT1",
        "token=RT1&token_type_hint=access_token&token_type_hint=refresh_token",
        "token=RTpub&client_id=spa-1&client_id=spa-2",
        "client_id=post-client&client_secret=p0st&client_secret=x&token=RTp",
        "token=RT1&client_assertion=a&client_assertion=a",
        "token=RT1&client_assertion_type=a&client_assertion_type=a",
    ];
    for body in bodies {
        world.bare(body).await.assert_invalid_request();
        world.form(body).await.assert_invalid_request();
    }
    assert_eq!(world.looked_up(), 0);
}

#[tokio::test]
async fn invalid_utf_8_and_escapes_are_refused_anywhere() {
    let world = World::new();
    let bad: [&[u8]; 12] = [
        b"%FF%FE",
        b"\xff\xfe",
        b"%C0%AF",
        b"%ED%A0%80",
        b"%zz",
        b"%4",
        b"abc%",
        b"%u0041",
        b"%+1",
        b"%-1",
        b"% 1",
        b"\xc3",
    ];
    for bad in bad {
        for prefix in [
            "token=",
            "token=RT1&unknown=",
            "token=RT1&unknown",
            "token=RT1&client_id=",
        ] {
            let body = [prefix.as_bytes(), bad].concat();
            world.form(body).await.assert_invalid_request();
        }
    }
    assert_eq!(world.looked_up(), 0);
}

#[tokio::test]
async fn token_with_an_invisible_character_is_refused() {
    let world = World::new();
    for bad in [
        "RT1%00",
        "RT1%0A",
        "RT1%0D%0A",
        "%C3%A9",
        "é",
        "RT1%7F",
        "RT1\n",
        "%EF%BF%BD",
    ] {
        world
            .form(format!("token={bad}"))
            .await
            .assert_invalid_request();
    }
    assert_eq!(world.looked_up(), 0);
    assert!(world.is_live("RT1"));
}

#[tokio::test]
async fn token_with_a_space_is_refused() {
    let world = World::new();
    // A raw `+` is a space in a form, but the client's token has a `+`.
    for mangled in [
        "a+b", "a%20b", "a b", "+RT1", "RT1+", "%20RT1", "RT1%20", "RT1%09", "+", "++",
    ] {
        let response = world.form(format!("token={mangled}")).await;
        response.assert_invalid_request();
    }
    assert_eq!(world.looked_up(), 0);
    assert!(world.is_live("a+b") && world.is_live("RT1"));
    world.form("token=a%2Bb").await.assert_ok();
    assert!(!world.is_live("a+b"));
}

#[tokio::test]
async fn only_ampersands_separate_and_the_first_equals_sign_splits() {
    let world = World::new();
    world.form("token=a=b==").await.assert_ok();
    assert!(!world.is_live("a=b=="));
    world.form("token=RT1;token_type_hint=x").await.assert_ok();
    assert_eq!(world.lookups.lock().unwrap()[1].0, "RT1;token_type_hint=x");
    assert!(world.is_live("RT1"));
    world.form("&&=x&token=RT1&&").await.assert_ok();
    assert!(!world.is_live("RT1"));
}

#[tokio::test]
async fn body_secret_is_form_decoded() {
    let world = World::new();
    world
        .bare("client_id=post-client2&client_secret=a%2Bb+c%25d%3Ae&token=RTp2")
        .await
        .assert_ok();
    assert!(!world.is_live("RTp2"));
}

#[tokio::test]
async fn sizes_are_limited() {
    let world = World::new();
    let long = |length| format!("token={}", "a".repeat(length));
    world.form(long(16 * 1024)).await.assert_ok();
    world
        .form(long(16 * 1024 + 1))
        .await
        .assert_invalid_request();
    world
        .form(long(70_000))
        .await
        .assert_error(413, "invalid_request");
    // 64 parameters, and then 65.
    world
        .form(format!("token=RT1{}", "&a=b".repeat(63)))
        .await
        .assert_ok();
    world
        .form(format!("token=RT1{}", "&a=b".repeat(64)))
        .await
        .assert_invalid_request();
}

#[tokio::test]
async fn limits_can_be_set() {
    let world = World::new();
    let request = |body: &'static str| {
        super::fixture::with(body, |head| {
            head.header("authorization", super::fixture::C1)
        })
    };
    let layer = world.layer().max_token(3).max_body(11);
    super::fixture::send(layer.clone(), request("token=RT1"))
        .await
        .assert_ok();
    super::fixture::send(layer.clone(), request("token=RT1x"))
        .await
        .assert_invalid_request();
    let response = super::fixture::send(layer, request("token=RT1xyz")).await;
    response.assert_error(413, "invalid_request");
}

/// Decodes strictly (RFC 6749 §B). Shares no code with the crate.
fn strictly(value: &[u8]) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = value;
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                rest = tail;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Escapes every byte.
pub(crate) fn encode(value: &str) -> String {
    let digit = |number| char::from(b"0123456789ABCDEF"[usize::from(number)]);
    value
        .bytes()
        .flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn looked_up(body: Vec<u8>) -> Option<String> {
    futures::executor::block_on(async {
        let world = World::new();
        let response = world.form(body).await;
        let lookups = world.lookups.lock().unwrap();
        assert!(lookups.len() <= 1);
        // The layer never reports success without a call of the backend.
        assert!(response.status != 200 || lookups.len() == 1, "{response:?}");
        lookups.first().map(|(token, _)| token.clone())
    })
}

proptest! {
    #[test]
    fn any_bytes_get_a_response(body in prop::collection::vec(any::<u8>(), 0..200)) {
        looked_up(body);
    }

    #[test]
    fn encoded_token_round_trips(token in "[!-~]{1,40}") {
        let body = format!("token={}", encode(&token));
        prop_assert_eq!(looked_up(body.into_bytes()), Some(token));
    }

    /// So two byte strings are the same token only if they encode the same text.
    #[test]
    fn token_equals_the_result_of_an_independent_decoder(
        value in prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"%%%%++=0123456789abcdefABCDEF".to_vec()),
            ],
            1..24,
        ).prop_filter("one value", |value| !value.contains(&b'&'))
    ) {
        let body = [b"token=", &*value].concat();
        let expected = strictly(&value)
            .filter(|token| !token.is_empty() && token.bytes().all(|byte| (0x21..0x7f).contains(&byte)));
        prop_assert_eq!(looked_up(body), expected);
    }

    #[test]
    fn basic_credentials_equal_the_result_of_an_independent_decoder(
        id in "[a-z%+&=0-9é]{1,12}", secret in "[a-z%+&=:0-9é]{0,12}",
    ) {
        let basic = Basic::new(format!("{id}:{secret}")).unwrap();
        let pair = |(id, secret): (String, tower_revocation::Secret)| (id, secret.expose().to_owned());
        let decoded = strictly(id.as_bytes()).zip(strictly(secret.as_bytes()));
        prop_assert_eq!(basic.form_decoded().map(pair), decoded);
        prop_assert_eq!(basic.raw().map(pair), Some((id, secret)));
    }

    #[test]
    fn encoded_basic_credentials_round_trip(id in "\\PC{1,12}", secret in "\\PC{0,12}") {
        let basic = Basic::new(format!("{}:{}", encode(&id), encode(&secret))).unwrap();
        let (decoded, decoded_secret) = basic.form_decoded().unwrap();
        prop_assert_eq!((decoded, decoded_secret.expose()), (id, &*secret));
    }
}
