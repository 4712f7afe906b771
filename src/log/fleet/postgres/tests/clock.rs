//! A node whose clock is ahead.

use super::{
    super::super::{super::RevocationLog as _, FleetLog, core::NodeSettings},
    fixture::until,
    *,
};
use crate::log::Moment;

const AHEAD: Duration = Duration::from_secs(30);

/// A node with a clock of its own.
async fn node(server: &Server, ahead: Duration) -> FleetLog {
    let settings = NodeSettings {
        lease: Duration::from_secs(2),
        append_timeout: Duration::from_secs(5),
        waits: false,
        seed: getrandom::u64().unwrap(),
        name: "a node".into(),
    };
    let clock = move || Moment::now() + ahead;
    FleetLog::start(open(server).await, settings, std::sync::Arc::new(clock))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offset_is_the_reason_for_which_a_node_is_not_ready() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (ahead, right) = (
        node(&server, AHEAD).await,
        node(&server, Duration::ZERO).await,
    );
    until("both know the log", || {
        let reason = ahead.health().reason().unwrap_or_default();
        right.health().is_ready() && reason.contains("s ahead of that of the database")
    });
    assert!(!ahead.health().is_ready() && ahead.health().is_writable());
    ahead.append(vec![grant(1)]).await.unwrap();
}

/// Node A, whose clock is ahead, issues a token at T. Node B revokes everything of the subject at T.
#[cfg(feature = "issued")]
#[tokio::test]
async fn token_of_a_node_that_is_ahead_dies_with_its_subject() {
    use crate::{
        date::fake,
        enforce::Index,
        introspect::issued::{Grant, IssuedTokens, NewToken, Rotation},
    };
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (a, b) = (
        node(&server, AHEAD).await,
        node(&server, Duration::ZERO).await,
    );
    let tokens = IssuedTokens::open(a.clone()).await.unwrap();
    let index = Index::follow(&b).await.unwrap();
    let now = NumericDate::now();
    let issue = || {
        vec![
            NewToken::access_token(AHEAD * 10),
            NewToken::refresh_token(AHEAD * 10),
        ]
    };
    let grant = Grant::new("g1", "c1").subject("alice");

    // What the whole process takes for the time, while A works.
    fake::NOW.set(Some(now + AHEAD));
    let mut issued = tokens.issue(grant.clone(), issue()).await.unwrap().unwrap();
    let signed = tokens.earliest_iat(&grant).await.unwrap().unwrap();
    let Rotation::Issued(rotated) = tokens.rotate(&issued[1].token, issue()).await.unwrap() else {
        panic!("the token is live");
    };
    issued.extend(rotated);
    fake::NOW.set(None);

    // "Until now", by the clock of B.
    let alice = Selector::subject("alice");
    let forever = NumericDate::FOREVER;
    let until_now = Revocation::watermark(alice, NumericDate::now(), forever);
    b.append(vec![until_now]).await.unwrap();
    for issued in &issued {
        let token = tokens.introspect(&issued.token).await.unwrap().unwrap();
        assert!(issued.iat < now + AHEAD / 2, "by the clock of the database");
        assert!(index.covers(&token), "{:?}", issued.iat);
    }
    assert!(index.covers_selector(&alice, Some(signed)));
}
