//! Rows of the file that cannot be read.

use redb::{Database, ReadableTable as _, TableDefinition};

use super::*;

const FAMILIES: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("link_families");

/// The same gateway after a restart, with every row of a link damaged.
async fn damaged(world: &World, damage: impl Fn(Vec<u8>) -> Vec<u8>) -> World {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let file = Database::open(folder.path().join("revocations.redb")).unwrap();
    let writing = file.begin_write().unwrap();
    {
        let mut families = writing.open_table(FAMILIES).unwrap();
        let rows = families.iter().unwrap().map(|row| {
            let (id, row) = row.unwrap();
            (*id.value(), row.value().to_vec())
        });
        for (id, row) in rows.collect::<Vec<_>>() {
            families.insert(&id, &*damage(row)).unwrap();
        }
    }
    writing.commit().unwrap();
    drop(file);
    let restarted = World::at(folder.path()).await;
    World {
        folder: Some(folder),
        issuer: world.issuer.clone(),
        requests: world.requests.clone(),
        ..restarted
    }
}

fn one_bit(mut row: Vec<u8>) -> Vec<u8> {
    let middle = row.len() / 2;
    row[middle] ^= 1;
    row
}

#[tokio::test]
async fn damaged_link_is_skipped_and_others_go_on() {
    let damages: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        one_bit,
        |_| Vec::new(),
        |row| row[..20].to_vec(),
        |row| [row, vec![0]].concat(),
    ];
    for damage in damages {
        let world = World::new().await;
        let [before, refresh] = world.login().await;
        let mut world = damaged(&world, damage).await;
        assert_eq!(
            world.revoke("test-client", &refresh).await,
            Outcome::Unsupported
        );
        // Also where the damaged row has to go.
        world.links = world.links.clone().per_client(1);
        let [other, another] = world.login().await;
        assert_eq!(
            world.revoke("test-client", &another).await,
            Outcome::Revoked
        );
        assert!(!world.is_live(&other).await && world.is_live(&before).await);
    }
}

#[tokio::test]
async fn refresh_token_of_a_damaged_link_is_never_certainly_dead() {
    let world = World::new().await;
    let [before, refresh] = world.login().await;
    let world = damaged(&world, one_bit).await;
    let record = world.record().responsible_for_all_tokens(true);
    let request = RevocationRequest::new("test-client", Secret::new(&*refresh));
    let outcome = record.oneshot(request).await.unwrap();
    assert_eq!(outcome, Outcome::Unsupported);
    assert!(world.is_live(&before).await);
}

#[tokio::test]
async fn refresh_token_of_a_damaged_link_has_a_past() {
    let world = World::new().await;
    let [before, refresh] = world.login().await;
    let world = damaged(&world, one_bit).await;
    let [after, _] = world.refresh(&refresh).await.tokens();
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&before).await && !world.is_live(&after).await);
}

#[tokio::test]
async fn revoked_family_stays_revoked_though_its_link_is_damaged() {
    let world = World::new().await;
    let [_, first] = world.login().await;
    let [_, second] = world.refresh(&first).await.tokens();
    world.revoke("test-client", &first).await;
    let world = damaged(&world, one_bit).await;
    for token in [first, second] {
        let answer = world.refresh(&token).await;
        assert_eq!(answer.error(), (400, "invalid_grant".into()));
    }
}

#[tokio::test]
async fn damaged_link_that_has_expired_is_removed() {
    let mut world = World::new().await;
    // They have expired at once.
    world.links = world
        .links
        .clone()
        .longest_lifetime(std::time::Duration::ZERO);
    world.login().await;
    let world = damaged(&world, one_bit).await;
    let [access, refresh] = world.login().await;
    assert_eq!(
        world.revoke("test-client", &refresh).await,
        Outcome::Revoked
    );
    assert!(!world.is_live(&access).await);
}
