use super::*;

fn token(tenant: Option<&str>, subject: Option<&str>) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "app");
    token.tenant = tenant.map(str::to_owned);
    token.sub = subject.map(str::to_owned);
    token
}

#[test]
fn token_without_a_tenant_is_unsupported_and_one_of_another_not_found() {
    let options = RevocationOptions::new().tenant("north");
    for (tenant, is_owner, expected) in [
        (Some("north"), true, None),
        (Some("south"), true, Some(Outcome::NotFound)),
        (Some("south"), false, Some(Outcome::NotFound)),
        (None, true, Some(Outcome::Unsupported)),
        (None, false, Some(Outcome::IssuedToAnother)),
    ] {
        let outcome = options.exclude(&token(tenant, None), is_owner);
        assert_eq!(outcome, expected, "{tenant:?} {is_owner}");
    }
}

#[test]
fn every_restriction_of_two_layers_applies() {
    let outer = RevocationOptions::new().tenant("north").subject("ann");
    let same = outer.clone().and(RevocationOptions::new().tenant("north"));
    assert_eq!(same.exclude(&token(Some("north"), Some("ann")), true), None);
    let bob = same.exclude(&token(Some("north"), Some("bob")), true);
    assert_eq!(bob, Some(Outcome::IssuedToAnother));

    let none = outer.and(RevocationOptions::new().tenant("south"));
    for tenant in ["north", "south"] {
        let outcome = none.exclude(&token(Some(tenant), Some("ann")), true);
        assert_eq!(outcome, Some(Outcome::NotFound), "{tenant}");
    }
}

#[test]
fn outer_layer_cannot_be_widened_by_a_cascade() {
    let outer = RevocationOptions::new().cascade(Cascade::GrantOnly);
    let inner = RevocationOptions::new().cascade(Cascade::Subject);
    assert_eq!(outer.clone().and(inner.clone()), outer);
    assert_eq!(inner.and(outer.clone()), outer);
}

#[test]
fn only_the_token_and_what_descends_from_it_is_at_or_below_it() {
    let node = |grant: &str, ancestors: &[&str], tenant: &str| {
        let mut token = token(Some(tenant), None);
        token.grant = Some(grant.to_owned());
        token.ancestors = ancestors.iter().map(ToString::to_string).collect();
        token
    };
    let options = RevocationOptions::new()
        .by_possession(true)
        .at_or_below(node("child", &["root"], "north"));
    for (token, is_below) in [
        (node("grandchild", &["child", "root"], "north"), true),
        (node("grandchild", &["child", "root"], "south"), false),
        (node("root", &[], "north"), false),
        (node("sister", &["root"], "north"), false),
    ] {
        let outcome = options.exclude(&token, false);
        assert_eq!(outcome.is_none(), is_below, "{token:?}");
    }
}
