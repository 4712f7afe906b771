//! A reload in two steps.

use super::*;

#[tokio::test]
async fn prepared_clients_are_not_in_use_until_they_are_applied() {
    let reloading = Reloading::of(ONE);
    reloading.write(TWO);
    let prepared = reloading.clients.prepare().unwrap();
    assert!(reloading.admits("c1", "s3cr3t-one").await);
    assert!(!format!("{prepared:?}").contains("s3cr3t"));
    prepared.apply();
    assert!(reloading.admits("c1", "s3cr3t-two").await);
    assert!(!reloading.admits("c1", "s3cr3t-one").await);
    assert!(!reloading.clients.reload_if_changed().unwrap());
}

#[tokio::test]
async fn prepared_clients_that_are_dropped_change_nothing() {
    let reloading = Reloading::of(ONE);
    reloading.write(TWO);
    drop(reloading.clients.prepare().unwrap());
    assert!(reloading.admits("c1", "s3cr3t-one").await);
    // The file still counts as changed.
    assert!(reloading.clients.reload_if_changed().unwrap());
    assert!(reloading.admits("c1", "s3cr3t-two").await);
}

#[tokio::test]
async fn file_that_is_invalid_cannot_be_prepared() {
    let reloading = Reloading::of(ONE);
    reloading.write(&TWO[..20]);
    let error = reloading.clients.prepare().unwrap_err();
    assert!(error.registry_error().is_some());
    assert!(reloading.clients.last_error().is_some());
    assert!(reloading.admits("c1", "s3cr3t-one").await);
    reloading.write(TWO);
    let prepared = reloading.clients.prepare().unwrap();
    assert!(reloading.clients.last_error().is_some());
    prepared.apply();
    assert!(reloading.clients.last_error().is_none());
    assert!(reloading.admits("c1", "s3cr3t-two").await);
}

#[tokio::test]
async fn prepared_clients_replace_those_of_the_file_that_was_removed() {
    let reloading = Reloading::of(ONE);
    reloading.write(TWO);
    let prepared = reloading.clients.prepare().unwrap();
    fs::remove_file(reloading.path()).unwrap();
    assert!(reloading.clients.reload().is_err());
    prepared.apply();
    assert!(reloading.admits("c1", "s3cr3t-two").await);
}
