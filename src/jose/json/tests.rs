use super::*;

fn parse(json: impl AsRef<[u8]>) -> Result<Members, Malformed> {
    Members::parse(json.as_ref())
}

/// An object with arrays nested in it.
fn nested(arrays: usize) -> String {
    format!("{{\"a\":{}{}}}", "[".repeat(arrays), "]".repeat(arrays))
}

#[test]
fn every_kind_of_value_is_read() {
    let json =
        r#"{"a":null,"b":[true,false],"c":-1,"d":18446744073709551615,"e":1.5,"f":"\u00e9"}"#;
    let members = parse(json).unwrap();
    let known: Value = serde_json::from_str(json).unwrap();
    assert_eq!(Some(members.as_map()), known.as_object());
    assert_eq!(text(members.as_map(), "f"), Ok(Some("\u{e9}")));
    assert_eq!(text(members.as_map(), "g"), Ok(None));
    for other in ["a", "b", "c", "e"] {
        assert_eq!(text(members.as_map(), other), Err(Malformed));
    }
}

#[test]
fn repeated_members_are_refused_at_any_depth() {
    for json in [
        r#"{"sub":"a","sub":"b"}"#,
        r#"{"sub":"a","sub":"a"}"#,
        r#"{"sub":"a","iss":"a","\u0073ub":"b"}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"{"a":[[{"b":{"c":null,"c":null}}]]}"#,
    ] {
        assert_eq!(parse(json).unwrap_err(), Malformed, "{json}");
    }
    assert!(parse(r#"{"a":{"a":{"a":1}},"A":1}"#).is_ok());
}

#[test]
fn numbers_out_of_range_are_refused() {
    for number in [
        "1e400",
        "-1e400",
        "1e99999999999",
        "NaN",
        "Infinity",
        "01",
        "+1",
        ".5",
        "1.",
    ] {
        assert!(parse(format!("{{\"exp\":{number}}}")).is_err(), "{number}");
    }
    assert!(parse(r#"{"exp":123456789012345678901234567890}"#).is_ok());
}

#[test]
fn number_wrapped_for_precision_is_a_number() {
    let wrapped = |text: &str| parse(format!("{{\"exp\":{{\"{NUMBER}\":{text}}}}}"));
    assert_eq!(wrapped("\"5\"").unwrap().get("exp"), Some(&5.into()));
    for other in ["\"1e400\"", "\"x\"", "5", "\"5\",\"a\":1"] {
        assert!(wrapped(other).is_err(), "{other}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    assert!(parse(nested(MAX_DEPTH - 1)).is_ok());
    assert!(parse(nested(MAX_DEPTH)).is_err());
    assert!(parse(nested(10_000)).is_err());
    assert!(parse("[".repeat(10_000)).is_err());
    assert!(parse(r#"{"a":"#.repeat(10_000)).is_err());
}

#[test]
fn document_is_exactly_one_object() {
    for json in [
        "",
        " ",
        "null",
        "1",
        "\"a\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{}{}",
        "{} x",
        "{},",
        "{\"a\"}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{}//",
        "\u{feff}{}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\n\"}",
    ] {
        assert!(parse(json).is_err(), "{json:?}");
    }
    assert!(parse(b"{\"a\":\"\xff\"}").is_err());
    assert!(parse(" {\r\n} ").is_ok());
}

#[test]
fn debug_output_contains_no_members() {
    let members = parse(r#"{"jti":"secret"}"#).unwrap();
    assert_eq!(format!("{members:?}"), "Members(..)");
}
