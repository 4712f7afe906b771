//! Issued tokens in the database: several authorization servers are one.

use std::time::Duration;

use futures::future::join_all;
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::issued::{Grant, IssuedToken, IssuedTokens, NewToken, Rotation},
    log::{
        FleetLog, LogError, LogErrorKind, NumericDate, Revocation, RevocationLog as _, Selector,
    },
};

use crate::{
    nodes::{index, node, wait_until},
    postgres::Server,
};

const HOUR: Duration = Duration::from_secs(3600);

/// One authorization server.
struct Node {
    log: FleetLog,
    tokens: IssuedTokens,
}

impl Node {
    async fn start(server: &Server) -> Self {
        let log = node(server).await;
        let tokens = IssuedTokens::open(log.clone()).await.unwrap();
        Self { log, tokens }
    }

    /// An access token and a refresh token.
    async fn issue(&self, grant: &str) -> Vec<IssuedToken> {
        let grant = Grant::new(grant, "c1").subject("alice").scope("read");
        self.tokens.issue(grant, both()).await.unwrap().unwrap()
    }

    async fn rotate(&self, token: &Secret) -> Rotation {
        self.tokens.rotate(token, both()).await.unwrap()
    }

    async fn revoke(&self, selector: Selector) {
        let record = Revocation::forever(selector, NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
    }
}

fn both() -> Vec<NewToken> {
    vec![
        NewToken::access_token(HOUR),
        NewToken::refresh_token(24 * HOUR).note("a note with \0"),
    ]
}

fn issued(rotation: Rotation) -> Vec<IssuedToken> {
    match rotation {
        Rotation::Issued(issued) => issued,
        other => panic!("{other:?}"),
    }
}

fn kind<T>(result: Result<T, LogError>) -> Option<LogErrorKind> {
    result.err().map(|error| error.kind())
}

#[tokio::test]
async fn token_of_one_server_is_known_and_exchanged_at_the_other() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (one, other) = (Node::start(&server).await, Node::start(&server).await);
    let first = one.issue("g1").await;
    let known = other.tokens.clone().oneshot(first[0].token.clone()).await;
    let known = known.unwrap().unwrap();
    assert_eq!(known.grant.as_deref(), Some("g1"));
    assert_eq!(
        (known.iat, known.exp),
        (Some(first[0].iat), Some(first[0].exp))
    );
    assert_eq!(first[0].exp, first[0].iat + HOUR);
    let unknown = Secret::new("unknown");
    assert!(other.tokens.introspect(&unknown).await.unwrap().is_none());
    assert!(matches!(other.rotate(&unknown).await, Rotation::Invalid));
    assert!(matches!(
        other.rotate(&first[0].token).await,
        Rotation::Invalid
    ));

    let next = issued(other.rotate(&first[1].token).await);
    let old = one.tokens.look_up(&first[1].token).await.unwrap().unwrap();
    assert!(old.used);
    assert_eq!(
        (&*old.note, old.grant.id),
        ("a note with \0", "g1".to_owned())
    );
    assert!(matches!(
        one.rotate(&first[1].token).await,
        Rotation::Reused(_)
    ));
    issued(one.rotate(&next[1].token).await);
}

#[tokio::test]
async fn one_of_many_exchanges_at_once_succeeds() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let nodes = [Node::start(&server).await, Node::start(&server).await];
    for round in 0..5 {
        let token = nodes[0].issue(&format!("g{round}")).await.remove(1).token;
        let callers = (0..32).map(|caller| nodes[caller % 2].rotate(&token));
        let rotations = join_all(callers).await;
        let won = |rotation: &&Rotation| matches!(rotation, Rotation::Issued(_));
        assert_eq!(rotations.iter().filter(won).count(), 1);
        let reused = |rotation: &&Rotation| matches!(rotation, Rotation::Reused(_));
        assert_eq!(rotations.iter().filter(reused).count(), 31);
    }
}

#[tokio::test]
async fn grant_that_one_server_revokes_has_ended_at_the_other() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (one, other) = (Node::start(&server).await, Node::start(&server).await);
    let index = index(&other.log).await;
    let tokens = one.issue("g1").await;
    let access = other.tokens.introspect(&tokens[0].token).await;
    let access = access.unwrap().unwrap();
    assert!(!index.covers(&access));
    one.revoke(Selector::grant("g1")).await;
    assert!(matches!(
        other.rotate(&tokens[1].token).await,
        Rotation::Invalid
    ));
    let grant = Grant::new("g1", "c1");
    assert!(
        other
            .tokens
            .issue(grant.clone(), both())
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(other.tokens.earliest_iat(&grant).await.unwrap(), None);
    wait_until("revoked", || index.covers(&access)).await;
    let old = other.tokens.look_up(&tokens[1].token).await.unwrap();
    assert!(!old.unwrap().used);

    // A record about the token itself.
    let tokens = one.issue("g2").await;
    let known = other.tokens.introspect(&tokens[1].token).await;
    one.revoke(known.unwrap().unwrap().token.unwrap()).await;
    assert!(matches!(
        other.rotate(&tokens[1].token).await,
        Rotation::Invalid
    ));
}

#[tokio::test]
async fn nothing_is_issued_into_a_covered_second() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (one, other) = (Node::start(&server).await, Node::start(&server).await);
    let old = one.issue("g1").await;
    let until = NumericDate::now() + Duration::from_secs(5);
    let watermark = Revocation::watermark(Selector::subject("alice"), until, until + HOUR);
    one.log.append(vec![watermark]).await.unwrap();
    assert!(matches!(
        other.rotate(&old[1].token).await,
        Rotation::Invalid
    ));
    let new = other.issue("g2").await;
    assert_eq!(new[0].iat, until + Duration::from_secs(1));
    let grant = Grant::new("g2", "c1").subject("alice");
    let iat = other.tokens.earliest_iat(&grant).await.unwrap();
    assert_eq!(iat, Some(until + Duration::from_secs(1)));
    issued(one.rotate(&new[1].token).await);
}

#[tokio::test]
async fn lost_database_is_an_error_and_comes_back_by_itself() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let node = Node::start(&server).await;
    let tokens = node.issue("g1").await;
    server.stop("KILL");
    let unavailable = Some(LogErrorKind::Unavailable);
    let refresh_token = &tokens[1].token;
    assert_eq!(
        kind(node.tokens.introspect(refresh_token).await),
        unavailable
    );
    assert_eq!(
        kind(node.tokens.look_up(&Secret::new("x")).await),
        unavailable
    );
    assert_eq!(
        kind(node.tokens.rotate(refresh_token, both()).await),
        unavailable
    );
    let grant = Grant::new("g2", "c1");
    assert_eq!(kind(node.tokens.earliest_iat(&grant).await), unavailable);
    assert_eq!(kind(node.tokens.issue(grant, both()).await), unavailable);
    assert_eq!(kind(node.tokens.sweep().await), unavailable);

    server.restart();
    assert!(
        node.tokens
            .introspect(refresh_token)
            .await
            .unwrap()
            .is_some()
    );
    issued(node.rotate(refresh_token).await);
}

#[tokio::test]
async fn exchange_during_a_restart_succeeds() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let node = Node::start(&server).await;
    let mut token = node.issue("g1").await.remove(1).token;
    for _ in 0..3 {
        // All connections are lost at once, and the next call finds that out.
        server.restart();
        token = issued(node.rotate(&token).await).remove(1).token;
    }
}

#[tokio::test]
async fn expired_tokens_are_removed_after_a_while() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let node = Node::start(&server).await;
    let expired = vec![NewToken::refresh_token(Duration::ZERO); 3000];
    let issued = node.tokens.issue(Grant::new("g1", "c1"), expired).await;
    let expired = issued.unwrap().unwrap().remove(0).token;
    let live = node.issue("g2").await.remove(1).token;
    assert!(matches!(node.rotate(&expired).await, Rotation::Invalid));
    assert_eq!(node.tokens.sweep().await.unwrap(), 0);
    assert!(node.tokens.introspect(&expired).await.unwrap().is_some());

    let builder = IssuedTokens::builder().expired_retention(Duration::ZERO);
    let hasty = builder.open(node.log.clone()).await.unwrap();
    assert_eq!(hasty.sweep().await.unwrap(), 3000);
    assert!(node.tokens.introspect(&expired).await.unwrap().is_none());
    assert!(node.tokens.introspect(&live).await.unwrap().is_some());

    let expired = vec![NewToken::refresh_token(Duration::ZERO)];
    node.tokens
        .issue(Grant::new("g1", "c1"), expired)
        .await
        .unwrap();
    let hasty = hasty
        .sweep_every(HOUR)
        .sweep_every(Duration::from_millis(10));
    let left = || server.sql("postgres", "select count(*) from tower_revocation.issued");
    wait_until("swept", || left() == "2").await;
    drop(hasty);
}

#[tokio::test]
async fn wrong_key_is_refused_and_no_token_is_in_the_database() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = node(&server).await;
    let keyed = |key: &[u8]| IssuedTokens::builder().key(key);
    let tokens = keyed(b"the key").open(log.clone()).await.unwrap();
    let issued = tokens.issue(Grant::new("g1", "c1"), both()).await.unwrap();
    let wrong = Some(LogErrorKind::WrongKey);
    assert_eq!(kind(keyed(b"another").open(log.clone()).await), wrong);
    assert_eq!(kind(IssuedTokens::open(log.clone()).await), wrong);
    let again = keyed(b"the key").open(log).await.unwrap();
    for issued in issued.unwrap() {
        assert!(again.introspect(&issued.token).await.unwrap().is_some());
        let bytes = issued.token.expose().bytes();
        let hex: Vec<_> = bytes.map(|byte| format!("{byte:02x}")).collect();
        let hex = hex.concat();
        let rows = server.sql("postgres", "select i.*, '' from tower_revocation.issued i");
        assert!(!rows.contains(&hex) && !rows.contains(issued.token.expose()));
        assert!(!format!("{tokens:?}").contains(issued.token.expose()));
    }
}
