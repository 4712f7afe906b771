use proptest::prelude::*;

use super::*;

/// The pairs as a common decoder returns them, unless it had to repair something.
fn without_repair(form: &[u8]) -> Option<Vec<(String, String)>> {
    let mut decoded = Vec::new();
    let mut rest = form.iter();
    while let Some(&byte) = rest.next() {
        let mut digit = || hex(*rest.next()?);
        decoded.push(match byte {
            b'%' => digit()? << 4 | digit()?,
            byte => byte,
        });
    }
    std::str::from_utf8(&decoded).ok()?;
    serde_urlencoded::from_bytes(form).ok()
}

fn owned(pair: (Cow<'_, str>, Cow<'_, str>)) -> (String, String) {
    (pair.0.into_owned(), pair.1.into_owned())
}

proptest! {
    #[test]
    fn forms_are_decoded_as_by_a_common_decoder_or_not_at_all(
        form in proptest::collection::vec(
            prop::sample::select(&b"%%%%+&&==4c3A9f8Fzt \xc3\xa9\xff"[..]), 0..24,
        )
    ) {
        let pairs = non_empty(&form).map(decode_pair).collect::<Option<Vec<_>>>();
        let pairs = pairs.map(|pairs| pairs.into_iter().map(owned).collect::<Vec<_>>());
        prop_assert_eq!(pairs, without_repair(&form));
    }
}

/// Everything about a form or its error.
fn shown(form: Result<Form, Error>) -> String {
    let secret = |secret: Option<Secret>| secret.map(|secret| secret.expose().to_owned());
    form.map_or_else(
        |error| error.to_string(),
        |form| {
            let secrets = [form.token.token, form.client_secret, form.client_assertion].map(secret);
            let texts = [form.client_id, form.client_assertion_type];
            format!("{secrets:?} {texts:?} {:?}", form.token.token_type_hint)
        },
    )
}

proptest! {
    /// A form with an escape takes the longer way.
    #[test]
    fn form_without_escapes_is_read_as_one_with_an_escape(
        form in proptest::collection::vec(
            prop::sample::select(
                &["token", "token_type_hint", "client_id", "client_secret", "&", "&", "&", "=",
                "=", "=", "a", "\u{e9}"][..],
            ), 0..24,
        ),
        is_utf8 in prop::bool::weighted(0.9),
    ) {
        let mut form = form.concat().into_bytes();
        if !is_utf8 {
            form.push(0xff);
        }
        let escaped = [&form[..], b"&x=%61"].concat();
        prop_assert_eq!(shown(Form::parse(&form)), shown(Form::parse(&escaped)));
    }
}

#[test]
fn only_what_is_escaped_is_copied() {
    assert!(matches!(decode_part(b"45gh-_.~"), Some(Cow::Borrowed(_))));
    for escaped in ["a+b", "%61", "\u{e9}%61"] {
        let decoded = decode_part(escaped.as_bytes());
        assert!(matches!(decoded, Some(Cow::Owned(_))), "{escaped}");
    }
}

#[test]
fn malformed_parameter_takes_precedence_over_a_repeated_one() {
    let description = |form: &[u8]| Form::parse(form).unwrap_err().to_string();
    let many = b"x&".repeat(MAX_PARAMETERS);
    assert!(description(b"token=1&token=2").ends_with("repeated"));
    assert!(description(b"token=1&token=2&x=%").ends_with("UTF-8"));
    assert!(description(&[&many[..], b"x=%"].concat()).ends_with("parameters"));
    assert!(Form::parse(&[&many[..], b"&&&"].concat()).is_ok());
}
