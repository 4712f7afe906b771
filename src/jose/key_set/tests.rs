use super::*;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const PRIVATE: &str = r#"{"kty":"oct","k":"AA"}"#;
const UNSOUND: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#;
const UNKNOWN: &str = r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#;
const OAEP: &str = r#"{"kty":"RSA","alg":"RSA-OAEP","n":"AQAB","e":"AQAB"}"#;
const SECP256K1: &str = r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#;
const X25519: &str = r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#;
const ENCRYPTS: &str = r#"{"kty":"RSA","use":"enc"}"#;

fn key(kid: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{X}"}}"#)
}

fn nameless() -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"}}"#)
}

fn set<T: AsRef<str>>(keys: impl IntoIterator<Item = T>) -> String {
    let keys: Vec<_> = keys
        .into_iter()
        .map(|key| key.as_ref().to_owned())
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn read<T: AsRef<str>>(keys: impl IntoIterator<Item = T>) -> KeySet {
    KeySet::from_json(&set(keys)).unwrap()
}

fn found(keys: &KeySet, kid: Option<&str>, algorithm: Algorithm) -> usize {
    keys.candidates(kid, algorithm).count()
}

fn published(json: &str) -> Result<KeySet, KeyError> {
    KeySet::published(json.as_bytes(), MAX_KEYS, MAX_CANDIDATES)
}

#[test]
fn one_bad_key_refuses_a_registered_set() {
    let refused = |keys: &[&str]| KeySet::from_json(&set(keys)).unwrap_err();
    let good = key("a");
    let kinds = [PRIVATE, UNSOUND].map(|bad| refused(&[&good, bad]).kind());
    assert_eq!(kinds, [KeyErrorKind::Private, KeyErrorKind::Malformed]);
    assert_eq!(
        refused(&[&good, PRIVATE]).to_string(),
        "key 2: the key is not public"
    );
    // The operator must learn that a private key was published.
    assert_eq!(refused(&[ENCRYPTS, PRIVATE]).kind(), KeyErrorKind::Private);
    assert_eq!(refused(&["7"]).kind(), KeyErrorKind::Malformed);
}

#[test]
fn unsupported_keys_are_left_out_of_a_registered_set() {
    let keys = [UNKNOWN, ENCRYPTS, OAEP, SECP256K1, X25519, &key("a")];
    let keys = read(keys);
    assert_eq!(keys.len(), 1);
    let left_out: Vec<_> = keys.left_out().map(|error| error.to_string()).collect();
    assert_eq!(
        left_out,
        [
            "key 1: alg is not a signature algorithm",
            "key 2: use is not sig",
            "key 3: alg is not a signature algorithm",
            "key 4: unknown crv",
            "key 5: unknown crv",
        ]
    );
}

#[test]
fn set_without_a_usable_key_is_refused_with_the_reason() {
    for (keys, reason) in [
        (&[][..], "it is empty"),
        (&[ENCRYPTS, OAEP], "key 1: use is not sig"),
        (&[ENCRYPTS, SECP256K1], "key 1: use is not sig"),
    ] {
        let expected = format!("the set has no usable key: {reason}");
        let error = KeySet::from_json(&set(keys)).unwrap_err();
        assert_eq!(error.to_string(), expected);
        let error = published(&set(keys)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let error = published(&set([ENCRYPTS, UNSOUND])).unwrap_err();
    assert!(error.is_no_usable_key() && error.to_string().contains("key 2: "));
}

#[test]
fn set_is_exactly_one_object() {
    let good = key("a");
    for json in [
        String::new(),
        "{}".to_owned(),
        format!("[{good}]"),
        r#"{"keys":{}}"#.to_owned(),
        format!(r#"{{"keys":[{good}],"keys":[{good}]}}"#),
        set([good.replace("\"kty\"", "\"kid\":\"b\",\"kty\"")]),
    ] {
        assert!(KeySet::from_json(&json).is_err(), "{json}");
        assert!(published(&json).is_err(), "{json}");
        assert!(serde_json::from_str::<KeySet>(&json).is_err(), "{json}");
    }
    assert_eq!(
        serde_json::from_str::<KeySet>(&set([good])).unwrap().len(),
        1
    );
}

#[test]
fn usable_keys_of_a_published_set_are_kept() {
    let good = key("a");
    let json = set([PRIVATE, UNSOUND, UNKNOWN, ENCRYPTS, "7", &good]);
    let keys = published(&json).unwrap();
    assert_eq!((keys.len(), keys.left_out().count()), (1, 5));
    assert!(keys.has_kid("a") && !keys.has_kid("A"));
}

#[test]
fn byte_order_mark_of_a_published_set_is_ignored() {
    let json = format!("\u{feff}{}", set([key("a")]));
    assert_eq!(published(&json).unwrap().len(), 1);
}

#[test]
fn number_of_keys_is_limited() {
    let keys = |count: usize| set((0..count).map(|it| key(&it.to_string())));
    assert_eq!(KeySet::from_json(&keys(100)).unwrap().len(), 100);
    assert!(KeySet::from_json(&keys(101)).is_err());
    assert!(published(&keys(101)).is_err());
    assert_eq!(
        KeySet::from_json_limited(&keys(101), 101).unwrap().len(),
        101
    );
    assert!(KeySet::from_json_limited(&keys(3), 2).is_err());
}

#[test]
fn kid_selects_its_keys() {
    let keys = read([key("a"), key("b"), key("a")]);
    assert_eq!(found(&keys, Some("a"), Algorithm::EdDsa), 2);
    assert_eq!(found(&keys, Some("b"), Algorithm::Ed25519), 1);
    assert_eq!(found(&keys, Some("c"), Algorithm::EdDsa), 0);
    assert_eq!(found(&keys, Some("B"), Algorithm::EdDsa), 0);
    assert_eq!(found(&keys, Some("a"), Algorithm::Es256), 0);
    assert_eq!(found(&keys, None, Algorithm::EdDsa), 3);
}

#[test]
fn keys_without_a_kid_are_tried_last() {
    assert_eq!(found(&read([nameless()]), Some("a"), Algorithm::EdDsa), 1);
    assert_eq!(found(&read([key("b")]), Some("a"), Algorithm::EdDsa), 0);
    let keys = read([nameless(), key("a"), key("b"), nameless()]);
    let kids = keys.candidates(Some("a"), Algorithm::EdDsa);
    assert!(kids.map(Jwk::kid).eq([Some("a"), None, None]));
}

#[test]
fn keys_beyond_the_candidates_leave_the_issuer_open() {
    let all = |keys: &KeySet, kid| {
        (
            found(keys, kid, Algorithm::EdDsa),
            keys.knows_all(kid, Algorithm::EdDsa),
        )
    };
    let keys = |count: usize| read((0..count).map(|it| key(&it.to_string())));
    assert_eq!(all(&keys(16), None), (16, true));
    assert_eq!(all(&keys(17), None), (16, false));
    assert_eq!(all(&keys(17), Some("16")), (1, true));
    assert_eq!(all(&keys(17).max_candidates(17), None), (17, true));
    assert_eq!(all(&keys(3).max_candidates(2), None), (2, false));
    let same = read((0..17).map(|_| key("a")));
    assert_eq!(all(&same, Some("a")), (16, false));
    // None of them can sign with this algorithm.
    assert!(same.knows_all(None, Algorithm::Es256));
}

#[test]
fn unusable_key_may_have_signed() {
    use Algorithm::{EdDsa, Es256, Es512, Ps384, Rs256};

    let unread = |key: &str| published(&set([key, &self::key("good")])).unwrap();
    let short = r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#;
    let keys = unread(short);
    assert!(!keys.knows_all(Some("a"), Rs256) && !keys.knows_all(None, Ps384));
    assert!(keys.knows_all(Some("b"), Rs256) && keys.knows_all(Some("a"), Es256));

    for (key, could, could_not) in [
        (r#"{"kty":"RSA","n":7,"e":"AQAB"}"#, Rs256, Es256),
        (r#"{"kty":"RSA","alg":"PS384","n":"","e":""}"#, Ps384, Rs256),
        (
            r#"{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#,
            Es512,
            Es256,
        ),
        (r#"{"kty":"EC","x":"AA","y":"AA"}"#, Es256, EdDsa),
        (UNSOUND, EdDsa, Es256),
        (r#"{"kty":"EC","crv":"P-256","d":"AA"}"#, Es256, Rs256),
    ] {
        let keys = unread(key);
        for kid in [None, Some("any")] {
            assert!(!keys.knows_all(kid, could), "{key}");
            assert!(keys.knows_all(kid, could_not), "{key}");
        }
    }
    for key in ["7", "null", "{}", r#"{"kty":1}"#] {
        assert!(!unread(key).knows_all(Some("any"), Es256), "{key}");
    }
    let harmless = [UNKNOWN, ENCRYPTS, OAEP, SECP256K1, X25519, PRIVATE];
    for key in harmless {
        let keys = unread(key);
        for &algorithm in Algorithm::ALL {
            assert!(keys.knows_all(None, algorithm), "{key} {algorithm}");
        }
    }
}

#[test]
fn public_keys_verify_no_hmac() {
    let keys = read([key("a")]);
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        assert_eq!(found(&keys, None, algorithm), 0);
    }
}

#[test]
fn sets_with_the_same_usable_keys_verify_the_same() {
    let one = read([key("a"), key("b")]);
    assert!(one.verifies_the_same(&read([key("a"), key("b")])));
    // A key that cannot be used verifies nothing.
    assert!(one.verifies_the_same(&read([&key("a"), UNKNOWN, &key("b")])));
    let other_key = key("b").replace(X, "Xx4_L89E6RsyvDTzN9wuN3cDwgifPkXMgFJv_HMIxdk");
    let with_alg = key("b").replace("kty", r#"alg":"EdDSA","kty"#);
    for other in [
        read([key("a")]),
        read([key("a"), key("b"), key("c")]),
        read([key("a"), key("c")]),
        read([key("a"), nameless()]),
        read([key("a"), other_key]),
        read([key("a"), with_alg]),
        // Not every key may be tried.
        read([key("b"), key("a")]),
        read([key("a"), key("b")]).max_candidates(1),
    ] {
        assert!(!one.verifies_the_same(&other), "{other:?}");
        assert!(!other.verifies_the_same(&one), "{other:?}");
    }
}
