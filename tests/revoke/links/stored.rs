//! What is in the file, and that it stays there.

use super::*;

fn files(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap();
    let read = |file: std::io::Result<std::fs::DirEntry>| std::fs::read(file.unwrap().path());
    files.flat_map(|file| read(file).unwrap()).collect()
}

#[tokio::test]
async fn link_is_durable_before_the_client_has_the_tokens() {
    let world = World::new().await;
    let [access, refresh] = world.login().await;
    // As a process that is killed now leaves it.
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(world.folder()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let log = open(copy.path());
    let links = Links::open(log.clone()).unwrap();
    let known = links.find(&Secret::new(&*refresh)).unwrap().unwrap();
    assert_eq!(known.client_id, "test-client");
    let index = Index::follow(&log).await.unwrap();
    let record = RecordRevocation::new(links, log);
    let request = RevocationRequest::new("test-client", Secret::new(&*refresh));
    assert_eq!(record.oneshot(request).await.unwrap(), Outcome::Revoked);
    assert!(index.covers(&world.introspect(&access).await));
}

#[tokio::test]
async fn file_has_neither_tokens_nor_names() {
    let world = World::new().await.minting(|token| {
        token
            .subject("alice-of-wonderland")
            .client("the-white-rabbit")
            .session("rabbit-hole-7")
    });
    let [access, _] = world.login().await;
    let [_, refresh] = world.refresh("refresh-0").await.tokens();
    let bytes = files(world.folder());
    let signature = access.rsplit('.').next().unwrap();
    for text in [
        &*refresh,
        signature,
        "alice-of-wonderland",
        "the-white-rabbit",
        "rabbit-hole-7",
    ] {
        let is_there = bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes());
        assert!(!is_there, "{text}");
    }
    let shown = format!("{:?}", world.layer());
    assert!(
        !shown.contains(&refresh) && !shown.contains("alice"),
        "{shown}"
    );
}

#[tokio::test]
async fn backup_has_the_links() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let copy = world.folder().join("copy.redb");
    world.log.backup(&copy).await.unwrap();
    let links = Links::open(EmbeddedLog::open(&copy).unwrap()).unwrap();
    assert!(links.find(&Secret::new(&*refresh)).unwrap().is_some());
}

/// The revocation of the refresh token would be one of its grant.
#[tokio::test]
async fn token_of_another_grant_waits_while_links_cannot_be_stored() {
    for grant in ["g1", "g2"] {
        let mut world = World::new().await.minting(|token| token.grant("g1"));
        let [_, refresh] = world.login().await;
        std::fs::remove_file(world.folder().join("revocations.redb")).unwrap();
        // The first commit that fails; from now on nothing is written.
        world.login().await;
        world.mint = Arc::new(move |token| token.grant(grant));
        let answer = world.refresh(&refresh).await;
        assert_eq!(answer.status.is_success(), grant == "g1", "{grant}");
    }
}

#[tokio::test]
async fn login_passes_while_links_cannot_be_stored() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    // The log has lost its file.
    std::fs::remove_file(world.folder().join("revocations.redb")).unwrap();
    let [_, unlinked] = world.login().await;
    let request = RevocationRequest::new("test-client", Secret::new(&*unlinked));
    let outcome = world.record().oneshot(request).await;
    assert!(
        !matches!(outcome, Ok(Outcome::Revoked | Outcome::NotFound)),
        "{outcome:?}"
    );
    // This one would outlive the revocation of its refresh token.
    let answer = world.refresh(&refresh).await;
    assert_eq!(answer.error(), (503, "temporarily_unavailable".into()));
}

/// As a server that gives the same refresh token to the next login.
#[tokio::test]
async fn login_is_held_back_if_the_revocation_of_its_refresh_token_would_miss_it() {
    let world = World::new().await;
    let [_, refresh] = world.login().await;
    let again = json!({ "access_token": world.issuer.token().sign(), "refresh_token": refresh });
    std::fs::remove_file(world.folder().join("revocations.redb")).unwrap();
    // The first commit that fails; from now on nothing is written.
    world.login().await;
    let server = served(move |_, _| json_response(&again));
    let held = world
        .ask(server, "grant_type=authorization_code&code=y")
        .await;
    assert_eq!(held.error(), (503, "temporarily_unavailable".into()));
}
