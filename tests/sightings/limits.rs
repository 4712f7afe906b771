//! What a subject, and all of them, can use up.

use tower_revocation::sightings::Dropped;

use super::*;

fn of(subject: &str, id: &str) -> Introspection {
    let mut token = token(id);
    token.sub = Some(subject.into());
    token
}

#[test]
fn subject_uses_up_its_own_share_only() {
    let sightings = Sightings::new().per_subject(3);
    note(&sightings, &of("bob", "bob-1"));
    for number in 0..10 {
        note(&sightings, &of("alice", &format!("alice-{number}")));
    }
    assert_eq!(sightings.of_subject(None, "alice").len(), 3);
    assert_eq!(sightings.of_subject(None, "bob").len(), 1);
    assert_eq!(
        (sightings.len(), sightings.dropped(Dropped::Subject)),
        (4, 7)
    );
    // The latest one is there.
    let latest = Selector::token(ISSUER, "alice-9");
    let seen = sightings.of_subject(None, "alice");
    assert!(seen.iter().any(|it| it.selector() == latest));
}

#[test]
fn full_table_takes_nothing_from_other_subjects() {
    let sightings = Sightings::new().capacity(2);
    note(&sightings, &of("alice", "alice-1"));
    note(&sightings, &of("bob", "bob-1"));
    note(&sightings, &of("carol", "carol-1"));
    assert!(sightings.of_subject(None, "carol").is_empty());
    assert_eq!(sightings.dropped(Dropped::Full), 1);
    // A new token of a subject replaces an old one of the same.
    note(&sightings, &of("alice", "alice-2"));
    let seen = sightings.of_subject(None, "alice");
    assert_eq!(seen[0].selector(), Selector::token(ISSUER, "alice-2"));
    assert_eq!(sightings.of_subject(None, "bob").len(), 1);
    assert_eq!((sightings.len(), sightings.dropped(Dropped::Full)), (2, 2));
}

#[test]
fn token_that_is_over_makes_room_first() {
    let sightings = Sightings::new().per_subject(2);
    let mut expired = of("alice", "old");
    expired.exp = Some(NumericDate::now());
    for token in [&of("alice", "new-1"), &expired, &of("alice", "new-2")] {
        note(&sightings, token);
    }
    assert_eq!(sightings.of_subject(None, "alice").len(), 2);
    assert_eq!(
        (sightings.len(), sightings.dropped(Dropped::Subject)),
        (2, 0)
    );
}

#[test]
fn long_name_is_not_kept() {
    let sightings = Sightings::new();
    let long = "a".repeat(256);
    let names: [fn(&mut Introspection, String); 4] = [
        |token, name| token.sub = Some(name),
        |token, name| token.client_id = name,
        |token, name| token.iss = Some(name),
        |token, name| token.tenant = Some(name),
    ];
    for set in names {
        let mut token = token("jti-1");
        set(&mut token, long.clone());
        note(&sightings, &token);
    }
    assert_eq!((sightings.len(), sightings.dropped(Dropped::Name)), (0, 4));
    note(&sightings, &of(&"a".repeat(255), "jti-1"));
    assert_eq!(sightings.len(), 1);
}

#[test]
fn many_threads_note_each_token_once() {
    let sightings = Sightings::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..200 {
                    let token = of(&format!("user-{}", number % 20), &format!("jti-{number}"));
                    note(&sightings, &token);
                }
            });
        }
    });
    // Once more without others, because a busy part notes nothing.
    for number in 0..200 {
        note(
            &sightings,
            &of(&format!("user-{}", number % 20), &format!("jti-{number}")),
        );
    }
    assert_eq!(sightings.len(), 200);
    for user in 0..20 {
        let seen = sightings.of_subject(None, &format!("user-{user}"));
        assert_eq!(seen.len(), 10, "user-{user}");
    }
}
