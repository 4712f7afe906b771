use super::*;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const PRIVATE: &str = r#"{"kty":"oct","k":"AA"}"#;
const UNSOUND: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#;
const UNKNOWN: &str = r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#;
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

#[test]
fn a_registered_set_is_sound_as_a_whole() {
    let refused = |keys: &[&str]| KeySet::from_json(&set(keys)).unwrap_err();
    let good = key("a");
    let kinds = [PRIVATE, UNSOUND].map(|bad| refused(&[&good, bad]).kind());
    assert_eq!(kinds, [KeyErrorKind::Private, KeyErrorKind::Malformed]);
    assert!(
        refused(&[&good, PRIVATE])
            .to_string()
            .starts_with("key 2: ")
    );

    assert_eq!(read([&good, UNKNOWN, ENCRYPTS]).len(), 1);
    assert_eq!(
        refused(&[UNKNOWN, ENCRYPTS]).kind(),
        KeyErrorKind::Malformed
    );
    assert_eq!(refused(&[]).kind(), KeyErrorKind::Malformed);
    assert_eq!(refused(&["7"]).kind(), KeyErrorKind::Malformed);
}

#[test]
fn a_set_is_one_strict_object() {
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
        assert!(KeySet::from_remote(json.as_bytes()).is_err(), "{json}");
        assert!(serde_json::from_str::<KeySet>(&json).is_err(), "{json}");
    }
    assert_eq!(
        serde_json::from_str::<KeySet>(&set([good])).unwrap().len(),
        1
    );
}

#[test]
fn of_a_remote_set_the_sound_keys_are_taken() {
    let good = key("a");
    let json = set([PRIVATE, UNSOUND, UNKNOWN, ENCRYPTS, "7", &good]);
    let keys = KeySet::from_remote(json.as_bytes()).unwrap();
    assert_eq!(keys.len(), 1);
    assert!(keys.has_kid("a") && !keys.has_kid("A"));
    assert!(KeySet::from_remote(b"{\"keys\":[]}").unwrap().is_empty());
}

#[test]
fn a_set_is_bounded() {
    let keys = |count: usize| set((0..count).map(|it| key(&it.to_string())));
    assert_eq!(KeySet::from_json(&keys(100)).unwrap().len(), 100);
    assert!(KeySet::from_json(&keys(101)).is_err());
    assert!(KeySet::from_remote(keys(101).as_bytes()).is_err());

    let mut long = set([key("a")]);
    long += &" ".repeat(LONGEST_REMOTE - long.len());
    assert!(KeySet::from_remote(long.as_bytes()).is_ok());
    long.push(' ');
    assert!(KeySet::from_remote(long.as_bytes()).is_err());
}

#[test]
fn an_identifier_chooses_its_keys() {
    let keys = read([key("a"), key("b"), key("a"), nameless()]);
    assert_eq!(found(&keys, Some("a"), Algorithm::EdDsa), 2);
    assert_eq!(found(&keys, Some("b"), Algorithm::Ed25519), 1);
    assert_eq!(found(&keys, Some("c"), Algorithm::EdDsa), 0);
    assert_eq!(found(&keys, Some("B"), Algorithm::EdDsa), 0);
    assert_eq!(found(&keys, Some("a"), Algorithm::Es256), 0);
    assert_eq!(found(&keys, None, Algorithm::EdDsa), 4);
}

#[test]
fn the_only_key_needs_no_identifier() {
    assert_eq!(found(&read([nameless()]), Some("a"), Algorithm::EdDsa), 1);
    assert_eq!(found(&read([key("b")]), Some("a"), Algorithm::EdDsa), 0);
}

#[test]
fn four_keys_are_tried_at_most() {
    let keys = read((0..9).map(|it| key(&it.to_string())));
    assert_eq!(found(&keys, None, Algorithm::EdDsa), 4);
    let same = read((0..9).map(|_| key("a")));
    assert_eq!(found(&same, Some("a"), Algorithm::EdDsa), 4);
}

#[test]
fn no_public_key_verifies_a_mac() {
    let keys = read([key("a")]);
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        assert_eq!(found(&keys, None, algorithm), 0);
    }
}
