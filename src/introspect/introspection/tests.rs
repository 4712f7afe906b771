use super::*;

fn full_token() -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "c1");
    token.token = Some(Selector::token("https://as.example.com", "1"));
    token.iss = Some("https://as.example.com".into());
    token.sub = Some("alice".into());
    token.grant = Some("g1".into());
    token.sid = Some("s1".into());
    token.cnf.jkt = Some([1; 32]);
    token.cnf.x5t_s256 = Some([2; 32]);
    token
}

#[test]
fn each_revocable_field_has_a_selector() {
    let expected = [
        Selector::token("https://as.example.com", "1"),
        Selector::grant("g1"),
        Selector::session("s1"),
        Selector::subject_and_client("alice", "c1"),
        Selector::subject("alice"),
        Selector::client("c1"),
        Selector::key(&[1; 32]),
        Selector::key(&[2; 32]),
        Selector::issuer("https://as.example.com"),
    ];
    assert!(full_token().selectors().eq(expected));
}

#[test]
fn grants_of_ancestors_are_selectors_after_that_of_the_token() {
    let mut token = full_token();
    token.tenant = Some("t".into());
    token.ancestors = (0..10).map(|number| format!("a{number}")).collect();
    let grants = token.selectors_of(SelectorClass::Grant);
    let names = ["g1".to_owned()].into_iter();
    let names = names.chain((0..8).map(|number| format!("a{number}")));
    assert!(grants.eq(names.map(|name| Selector::grant(&name).within("t"))));
    assert!(!keeps(&token.for_reuse(), 1));
}

/// Whether the index with this number keeps something with the token.
fn keeps(token: &Introspection, index: u64) -> bool {
    token.numbers(index).is_some()
}

#[test]
fn one_index_keeps_something_from_the_second_time_on() {
    let token = full_token().for_reuse();
    assert!(!keeps(&token, 1));
    assert!(keeps(&token, 2));
    assert!(keeps(&token.clone(), 2));
    assert!(!keeps(&token, 1) && !keeps(&token, 1));
}

#[test]
fn introspection_for_reuse_is_marked_again_without_a_copy() {
    let token = full_token().for_reuse();
    let again = token.clone().for_reuse();
    assert!(Arc::ptr_eq(&token.0, &again.0));
    let _ = (keeps(&token, 1), keeps(&token, 1));
    assert!(keeps(&again, 1) && keeps(&again.for_reuse(), 1));
}

#[test]
fn nothing_is_kept_with_an_introspection_of_one_request() {
    let token = full_token();
    assert!((0..3).all(|_| !keeps(&token, 1)));
}

#[test]
fn changed_claims_keep_nothing() {
    let token = full_token().for_reuse();
    let changed = || {
        let mut changed = token.clone();
        changed.iat = None;
        changed
    };
    // Also if this is the only reference to the claims.
    let mut alone = full_token().for_reuse();
    assert!(!keeps(&alone, 1) && keeps(&alone, 1));
    alone.rotated = true;
    let new = Introspection::from(token.clone().into_claims());
    for unmarked in [alone, new, changed()] {
        assert!((0..3).all(|_| !keeps(&unmarked, 1)));
    }
    assert!(!keeps(&token, 1) && keeps(&token, 1));
    assert!(!keeps(&changed().for_reuse(), 1));
}

#[test]
fn introspection_for_reuse_equals_and_prints_as_any_other() {
    let token = full_token();
    assert_eq!(token.clone().for_reuse(), token);
    assert_eq!(
        format!("{:?}", token.clone().for_reuse()),
        format!("{token:?}")
    );
}

#[test]
fn token_without_a_subject_has_no_subject_selector() {
    let token = Introspection::new(TokenKind::AccessToken, "c1");
    assert!(token.selectors().eq([Selector::client("c1")]));
}

#[test]
fn same_names_in_two_tenants_have_different_selectors() {
    let (mut one, mut other) = (full_token(), full_token());
    one.tenant = Some("https://one.example.com".into());
    other.tenant = Some("https://other.example.com".into());
    for class in [
        SelectorClass::Grant,
        SelectorClass::Session,
        SelectorClass::SubjectAndClient,
        SelectorClass::Subject,
        SelectorClass::Client,
    ] {
        assert!(
            one.selectors_of(class).ne(other.selectors_of(class)),
            "{class:?}"
        );
        assert!(
            one.selectors_of(class).ne(full_token().selectors_of(class)),
            "{class:?}"
        );
        assert!(
            one.selectors_of(class)
                .all(|selector| selector.class() == class)
        );
    }
    for class in [
        SelectorClass::Token,
        SelectorClass::Key,
        SelectorClass::Issuer,
    ] {
        assert!(
            one.selectors_of(class).eq(other.selectors_of(class)),
            "{class:?}"
        );
    }
}
