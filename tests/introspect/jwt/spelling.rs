//! The same record revokes a token in every spelling.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use tower_revocation::{introspect::Introspection, log::Selector};

use crate::jwt::fixture::{ISSUER, KEY, ask, claims, encode, header, token, tokens};

/// The order of P-256 (FIPS 186-5).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// `ORDER - scalar`, both big-endian.
fn negated(scalar: &[u8]) -> [u8; 32] {
    let (mut result, mut borrow) = ([0; 32], 0);
    for place in (0..32).rev() {
        let difference = i32::from(ORDER[place]) - i32::from(scalar[place]) - borrow;
        borrow = i32::from(difference < 0);
        result[place] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    assert_eq!(borrow, 0);
    result
}

async fn known(token: &str) -> Introspection {
    ask(&tokens(), token).await.expect("a genuine token")
}

/// A record about one spelling revokes all others: no selector differs.
async fn assert_same_selectors(one: &str, others: &[String]) {
    let one = known(one).await;
    assert_eq!(
        one.token,
        Some(Selector::token(ISSUER, one.jti.as_deref().unwrap()))
    );
    for other in others {
        assert_eq!(known(other).await, one);
    }
}

#[tokio::test]
async fn ecdsa_signature_with_negated_s() {
    let good = token(&json!({}));
    let (input, signature) = good.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let other = negated(&signature[32..]);
    signature[32..].copy_from_slice(&other);
    let malleated = format!("{input}.{}", encode(signature));
    assert_ne!(malleated, good);
    assert_same_selectors(&good, &[malleated]).await;
}

#[tokio::test]
async fn token_that_is_signed_again() {
    let (head, body) = (header(), claims());
    let good = KEY.sign(&head, &body);
    let again = KEY.sign(&head, &body);
    assert_ne!(good, again);

    let spaced = |value: &serde_json::Value| {
        let mut members: Vec<_> = value.as_object().unwrap().iter().collect();
        members.reverse();
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| format!("\n {name:?} : {value}"))
            .collect();
        format!("{{{} }}", members.join(","))
    };
    let reordered = KEY.sign_text(&spaced(&head), &spaced(&body));
    let escaped = body
        .to_string()
        .replace("\"jti\":\"d", "\"\\u006ati\":\"\\u0064");
    assert_ne!(escaped, body.to_string());
    let escaped = KEY.sign_text(&head.to_string(), &escaped);
    assert_same_selectors(&good, &[again, reordered, escaped]).await;
}

/// RFC 7515 §2: no padding, no white space and no other characters.
#[tokio::test]
async fn text_that_a_strict_decoder_refuses_is_not_a_token() {
    let good = token(&json!({}));
    let segments: Vec<_> = good.split('.').collect();
    assert_eq!(segments[2].len(), 86);
    // 64 bytes leave four bits of the last character unused.
    let last = segments[2].chars().last().unwrap();
    assert!("AQgw".contains(last));
    let loose = char::from_u32(u32::from(last) + 1).unwrap();
    let trailing_bits = format!("{}{loose}", &segments[2][..85]);

    let mut odd = vec![format!("{}.{}.{trailing_bits}", segments[0], segments[1])];
    for place in 0..3 {
        for (from, to) in [("", "="), ("", "=="), ("", "\n"), ("", " "), ("", "%3D")] {
            let mut changed = segments.clone();
            let segment = format!("{}{to}{from}", segments[place]);
            changed[place] = &segment;
            odd.push(changed.join("."));
        }
    }
    for odd in odd {
        assert!(ask(&tokens(), &odd).await.is_none(), "{odd}");
    }
    assert!(ask(&tokens(), &good).await.is_some());
}

/// The loose spelling itself is signed, so that only the decoder can refuse it.
#[tokio::test]
async fn signature_over_a_loose_spelling_is_refused() {
    let (head, body) = (encode(header().to_string()), encode(claims().to_string()));
    for input in [
        format!("{head}=.{body}"),
        format!("{head}.{body}="),
        format!("{head}\n.{body}"),
        format!("{head}. {body}"),
    ] {
        let token = KEY.sign_input(&input);
        assert!(ask(&tokens(), &token).await.is_none(), "{input}");
    }
    let strict = KEY.sign_input(&format!("{head}.{body}"));
    assert!(ask(&tokens(), &strict).await.is_some());
}
