//! Rows that are damaged.

use super::*;
use crate::revoke::links::row;

#[test]
fn row_with_any_wrong_bit_is_damaged() {
    let world = World::new();
    world.login("c1", "r1", NOW);
    let name = world.links.name(&"r1".into());
    let masked = world.links.log.write(move |work| {
        let found = Tables::open(work.transaction)?.find(work.key(), &name.digest)?;
        let Found::Family(_, family) = found else {
            panic!("it was learnt");
        };
        let row = row::pack(work.key(), &family);
        Ok(work.mask(&row))
    });
    let mut row = futures::executor::block_on(masked).unwrap();
    let key = world.links.log.key();
    assert!(row::read(key, &row).is_some());
    for place in 0..8 * row.len() {
        row[place / 8] ^= 1 << (place % 8);
        assert!(row::read(key, &row).is_none(), "{place}");
        row[place / 8] ^= 1 << (place % 8);
    }
}
