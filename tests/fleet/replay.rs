//! An assertion counts once in the whole fleet.

use std::time::{Duration, SystemTime};

use futures::future::join_all;
use tower::BoxError;
use tower_revocation::{
    Error, ErrorKind,
    client::replay::{FleetGuard, Once, ReplayGuard as _},
    log::{LogError, LogErrorKind, RevocationLog as _},
};

use crate::{
    nodes::{node, wait_until},
    postgres::Server,
};

fn once(client: &str, jti: usize) -> Once {
    Once::new("https://as.example.com", client, &jti.to_string())
}

async fn use_up(guard: &FleetGuard, client: &str, jti: usize) -> Result<bool, BoxError> {
    let until = SystemTime::now() + Duration::from_secs(60);
    guard.use_up(once(client, jti), until).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_many_callers_at_two_nodes_wins() {
    const CALLERS: usize = 64;
    const ROUNDS: usize = 20;
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let logs = [node(&server).await, node(&server).await];
    let guards = logs.map(|log| log.replay_guard().unwrap());
    for jti in 0..ROUNDS {
        let callers = (0..CALLERS).map(|caller| {
            let guard = guards[caller % 2].clone();
            tokio::spawn(async move { use_up(&guard, "client", jti).await.unwrap() })
        });
        let won = join_all(callers).await;
        let won = won.into_iter().filter(|won| *won.as_ref().unwrap()).count();
        assert_eq!(won, 1, "round {jti}");
    }
}

#[tokio::test]
async fn client_beyond_its_quota_is_refused_and_others_are_not() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let log = node(&server).await;
    let guard = log.replay_guard().unwrap().quota(3);
    for jti in 0..3 {
        assert!(use_up(&guard, "busy", jti).await.unwrap());
    }
    let error = use_up(&guard, "busy", 3).await.unwrap_err();
    let error: Box<Error> = error.downcast().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!use_up(&guard, "busy", 0).await.unwrap());
    assert!(use_up(&guard, "other", 3).await.unwrap());
    let past = SystemTime::now() - Duration::from_secs(2);
    let expired = guard.use_up(once("other", 4), past).await;
    assert!(!expired.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_without_its_database_refuses_and_forgets_nothing() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let log = node(&server).await;
    let guard = log.replay_guard().unwrap();
    assert!(use_up(&guard, "client", 0).await.unwrap());
    // In the middle of it.
    let under_way = (1..200).map(|jti| {
        let guard = guard.clone();
        tokio::spawn(async move { use_up(&guard, "client", jti).await })
    });
    let under_way: Vec<_> = under_way.collect();
    server.stop("KILL");
    let first = join_all(under_way).await;
    let error = use_up(&guard, "client", 0).await.unwrap_err();
    let error: Box<LogError> = error.downcast().unwrap();
    assert_eq!(error.kind(), LogErrorKind::Unavailable);

    server.restart();
    wait_until("writable", || log.health().is_writable()).await;
    assert!(!use_up(&guard, "client", 0).await.unwrap());
    for (jti, first) in (1..).zip(first) {
        let again = use_up(&guard, "client", jti).await.unwrap();
        let won = matches!(first.unwrap(), Ok(true));
        assert!(!(won && again), "{jti} counts twice");
    }
    assert!(use_up(&guard, "client", 1000).await.unwrap());
}
