//! Damaged rows that make room for others.

use redb::{ReadableTable as _, TableDefinition};

use super::*;

const FAMILIES: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("link_families");

impl World {
    fn login_of(&self, subject: &str, refresh_token: &str, now: u64) {
        let mut access = access("c1", refresh_token, now);
        access.sub = Some(subject.into());
        let learnt = self.learn(AccessToken::Known(access), refresh_token, "", now);
        assert_eq!(learnt, Learnt::Linked);
    }

    /// Damages the row of this refresh token in the file.
    fn damage(&self, refresh_token: &str) {
        let name = self.links.name(&refresh_token.into());
        let damaged = self.links.log.write(move |work| {
            let Found::Family(id, _) =
                Tables::open(work.transaction)?.find(work.key(), &name.digest)?
            else {
                panic!("it was learnt");
            };
            let mut families = work.transaction.open_table(FAMILIES)?;
            let mut row = families.get(&id)?.unwrap().value().to_vec();
            row[20] ^= 1;
            families.insert(&id, &*row)?;
            work.dirty = true;
            Ok(())
        });
        futures::executor::block_on(damaged).unwrap();
        assert!(!self.knows(refresh_token));
    }
}

#[test]
fn damaged_row_that_its_subject_has_lost_does_not_count_for_the_client() {
    let mut world = World::new();
    // A subject can have 16.
    world.links = world.links.clone().per_client(18);
    world.login_of("carol", "of-carol", NOW);
    for number in 1..=16 {
        world.login_of("alice", &format!("a{number}"), NOW + number);
    }
    world.damage("a1");
    world.login_of("alice", "a17", NOW + 17);
    assert_eq!(world.len()[0], 17);
    // There is room for one more.
    world.login_of("bob", "of-bob", NOW + 18);
    assert!(world.knows("of-carol") && world.knows("a2") && world.knows("of-bob"));
    world.login_of("bob", "of-bob-too", NOW + 19);
    assert!(!world.knows("of-carol") && world.knows("a2"));
    assert_eq!(world.len()[0], 18);
}

#[test]
fn damaged_row_that_its_client_has_lost_makes_no_room_for_the_subject() {
    let mut world = World::new();
    world.links = world.links.clone().capacity(17).per_client(17);
    for number in 1..=16 {
        world.login_of("alice", &format!("a{number}"), NOW + number);
    }
    world.login_of("bob", "of-bob", NOW + 17);
    world.damage("a1");
    // It takes the place of the damaged row, whose subject is unknown.
    world.login_of("carol", "of-carol", NOW + 18);
    assert!(world.knows("a2"));
    assert_eq!(world.len()[0], 17);
    // Alice has 15 now, and the client as many as it can have.
    world.login_of("alice", "a17", NOW + 19);
    assert_eq!(world.len()[0], 17);
    assert!(!world.knows("a2") && world.knows("a3") && world.knows("a17"));
}
