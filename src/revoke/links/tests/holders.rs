//! Who has a family, and what it is known to lack.

use super::*;

#[test]
fn token_that_no_record_could_name_is_not_linked() {
    let world = World::new();
    let mut nameless = access("c1", "1", NOW);
    nameless.token = None;
    nameless.sub = None;
    let nameless = AccessToken::Known(nameless);
    assert_eq!(
        world.learn(nameless.clone(), "r1", "", NOW),
        Learnt::Uncoverable
    );
    assert!(!world.knows("r1"));
    // A revocation does not rely on a family that has one.
    let mut known = access("c1", "2", NOW);
    known.sub = None;
    world.learn(AccessToken::Known(known), "r1", "", NOW);
    assert!(world.knows("r1"));
    assert_eq!(world.learn(nameless, "r2", "r1", NOW), Learnt::Uncoverable);
    assert!(!world.knows("r1") && !world.knows("r2"));
    // Nor on what comes later.
    assert_eq!(
        world.learn(AccessToken::Known(access("c1", "3", NOW)), "r3", "r2", NOW),
        Learnt::Uncoverable
    );
    assert!(!world.knows("r3"));
    assert_eq!(world.len(), [1, 3, 1]);
}

#[test]
fn refresh_token_stays_with_its_first_holder() {
    let world = World::new();
    world.login("c1", "r1", NOW);
    let mut of_bob = access("c1", "2", NOW);
    of_bob.sub = Some("bob".into());
    let of_c2 = access("c2", "3", NOW);
    for (number, other) in [of_bob, of_c2].into_iter().enumerate() {
        world.learn(AccessToken::Known(other), "r1", "", NOW);
        let known = world.find("r1").unwrap();
        assert_eq!(
            (&*known.client_id, known.sub.as_deref()),
            ("c1", Some("alice"))
        );
        // What was issued with it falls with it all the same.
        assert_eq!(world.with("r1").tokens.len(), number + 3);
        assert_eq!(world.with("r1").unnamed_until, None);
    }
    assert_eq!(world.len(), [1, 1, 1]);
}

#[test]
fn refresh_token_stays_with_its_first_issuer() {
    let world = World::new();
    world.login("c1", "r1", NOW);
    let mut elsewhere = access("c1", "1", NOW);
    elsewhere.iss = Some("https://other.example".into());
    let elsewhere = AccessToken::Known(elsewhere);
    let before = world.find("r1");
    assert_eq!(
        world.learn(elsewhere.clone(), "r1", "", NOW),
        Learnt::Nothing
    );
    assert_eq!(world.learn(elsewhere, "r2", "r1", NOW), Learnt::Linked);
    assert_eq!(world.find("r1"), before);
    let iss = world.find("r2").unwrap().iss.clone();
    assert_eq!(iss.as_deref(), Some("https://other.example"));
    assert_eq!(world.len(), [2, 2, 2]);
}

#[test]
fn nameless_token_of_another_holder_makes_a_family_unknown() {
    let world = World::new();
    world.login("c1", "r1", NOW);
    let mut of_bob = access("c1", "2", NOW);
    of_bob.sub = Some("bob".into());
    of_bob.token = None;
    let learnt = world.learn(AccessToken::Known(of_bob), "r2", "r1", NOW);
    assert_eq!(learnt, Learnt::Uncoverable);
    assert!(!world.knows("r1") && !world.knows("r2"));
}

#[test]
fn token_of_two_families_is_named_in_both() {
    let world = World::new();
    world.login("c1", "r1", NOW);
    world.login("c1", "r2", NOW);
    let both = AccessToken::Known(access("c1", "both", NOW));
    assert_eq!(world.learn(both, "r2", "r1", NOW), Learnt::Linked);
    let named = (
        Selector::token(ISSUER, "both"),
        NumericDate::new(NOW + HOUR),
    );
    for token in ["r1", "r2"] {
        assert!(world.with(token).tokens.contains(&named), "{token}");
    }
    assert_eq!(world.len(), [2, 2, 2]);
}

#[test]
fn presented_token_without_a_link_has_a_past() {
    let world = World::new();
    let known = AccessToken::Known(access("c1", "2", NOW));
    assert_eq!(world.learn(known, "r2", "r1", NOW), Learnt::Linked);
    let unnamed_until = Some(NumericDate::new(NOW + 90 * 24 * HOUR));
    for (token, is_new) in [("r1", false), ("r2", true)] {
        assert_eq!(world.with(token).unnamed_until, unnamed_until);
        assert_eq!(world.find(token).unwrap().iat.is_some(), is_new);
    }
    // Its grant covers what was issued before.
    let mut granted = access("c1", "3", NOW);
    granted.grant = Some("g1".into());
    world.learn(AccessToken::Known(granted), "", "r3", NOW);
    assert_eq!(world.find("r3").unwrap().grant.as_deref(), Some("g1"));
    assert_eq!(world.with("r3").unnamed_until, None);
    // Without a subject, no record covers what was issued before.
    let mut nameless = access("c1", "4", NOW);
    nameless.sub = None;
    let learnt = world.learn(AccessToken::Known(nameless), "", "r4", NOW);
    assert_eq!(learnt, Learnt::Uncoverable);
    assert!(!world.knows("r4"));
}

#[test]
fn evicted_token_has_a_past_when_it_comes_back() {
    let mut world = World::new();
    world.links = world.links.clone().per_client(1);
    world.login("c1", "r1", NOW);
    world.login("c1", "r2", NOW);
    assert!(!world.knows("r1") && world.knows("r2"));
    let again = AccessToken::Known(access("c1", "2", NOW));
    world.learn(again, "r1", "r1", NOW);
    assert!(world.with("r1").unnamed_until.is_some());
    assert_eq!(world.find("r1").unwrap().iat, None);
}

#[test]
fn token_of_another_holder_is_remembered_when_the_common_name_changes() {
    let granted = |grant: &str, subject: &str, is_named: bool| {
        let mut access = access("c1", subject, NOW);
        access.grant = Some(grant.into());
        access.sub = Some(subject.into());
        access.token = access.token.filter(|_| is_named);
        AccessToken::Known(access)
    };
    for is_named in [true, false] {
        let world = World::new();
        world.learn(granted("g1", "alice", true), "r1", "", NOW);
        world.learn(granted("g1", "bob", is_named), "", "r1", NOW);
        // The grant covers both.
        assert!(world.knows("r1"));
        world.learn(granted("g2", "alice", true), "", "r1", NOW);
        let of_bob = Selector::token(ISSUER, "bob");
        let names_bob = world.find("r1").is_some_and(|known| {
            let with = known.issued_with.as_ref().unwrap();
            with.tokens.iter().any(|(selector, _)| *selector == of_bob)
        });
        // Without a name of its own, no record covers it, so the refresh token is unknown.
        assert_eq!((world.knows("r1"), names_bob), (is_named, is_named));
    }
}
