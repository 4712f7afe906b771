//! `kill -9` while clients revoke tokens and others use the API. A token whose revocation was answered with 200
//! stays refused after the restart. A client without an answer can repeat its request. Other tokens stay live.

use std::{sync::Arc, time::Duration};

use tokio::sync::Barrier;

use super::{
    http::Http,
    process::Sidecar,
    world::{SHOP, World},
};

/// How often each mode is killed.
const KILLS: u32 = 8;
/// How many clients revoke at once.
const CLIENTS: usize = 8;
/// How many clients use the API all the time.
const USERS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminate_loses_no_answered_revocation() {
    let world = World::new().await;
    kill_again_and_again(&world, &world.terminate(), |round| async move {
        // Somewhere among the appends.
        tokio::time::sleep(Duration::from_micros(u64::from(round) * 1500)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forward_killed_between_the_200_of_the_authority_and_the_record_answers_nothing() {
    let world = World::new().await;
    let asked = world.authority.asked.clone();
    kill_again_and_again(&world, &world.forward(), move |round| {
        let asked = asked.clone();
        async move {
            // The authority has revoked the token.
            asked.notified().await;
            tokio::time::sleep(Duration::from_micros(u64::from(round) * 200)).await;
        }
    })
    .await;
}

async fn kill_again_and_again<F, W>(world: &World, sections: &str, moment: F)
where
    F: Fn(u32) -> W,
    W: Future<Output = ()>,
{
    let live = world.token();
    let (mut answered, mut served) = (0, 0);
    let mut unanswered: Vec<String> = Vec::new();
    let mut refused: Vec<String> = Vec::new();
    for round in 0..KILLS {
        let sidecar = world.start(sections);
        let http = Arc::new(Http::to(sidecar.url("gateway.listen")));
        // Everything that was answered before is still refused, and the rest can be repeated.
        for token in &refused {
            assert!(
                http.get_with("/", token).await.is_refused(),
                "round {round}"
            );
        }
        for token in std::mem::take(&mut unanswered) {
            assert_eq!(http.revoke(SHOP, &token).await.status, 200);
            assert!(http.get_with("/", &token).await.is_refused());
            refused.push(token);
        }
        let under_load = Arc::new(Barrier::new(USERS + 1));
        let use_the_api = || use_the_api(http.clone(), live.clone(), under_load.clone());
        let users: Vec<_> = (0..USERS).map(|_| tokio::spawn(use_the_api())).collect();
        under_load.wait().await;
        let tokens: Vec<_> = (0..CLIENTS).map(|_| world.token()).collect();
        let calls: Vec<_> = tokens
            .into_iter()
            .map(|token| {
                let http = http.clone();
                tokio::spawn(async move {
                    let answer = http.try_revoke(SHOP, &token).await;
                    let status = answer.map(|answer| answer.status.as_u16());
                    // Unless it is killed first, also under load.
                    if let (Some(200), Some(next)) = (status, http.try_get_with("/", &token).await)
                    {
                        assert!(next.is_refused(), "{next:?}");
                    }
                    (token, status)
                })
            })
            .collect();
        moment(round).await;
        sidecar.kill();
        for user in users {
            served += user.await.unwrap();
        }
        for call in calls {
            match call.await.unwrap() {
                (token, Some(200)) => {
                    answered += 1;
                    refused.push(token);
                }
                (token, _) => unanswered.push(token),
            }
        }
    }
    let sidecar = Sidecar::start(&world.path("config.toml"));
    let http = Http::to(sidecar.url("gateway.listen"));
    for token in &refused {
        assert!(http.get_with("/", token).await.is_refused());
    }
    assert_eq!(http.get_with("/", &live).await.status, 200);
    eprintln!(
        "{answered} answered, {} killed, {served} served",
        unanswered.len()
    );
    sidecar.end();
}

/// Returns how many requests were served before the server was gone.
async fn use_the_api(http: Arc<Http>, token: String, under_load: Arc<Barrier>) -> u32 {
    let mut served = 0;
    while let Some(answer) = http.try_get_with("/", &token).await {
        assert_eq!(answer.status, 200, "{answer:?}");
        served += 1;
        if served == 1 {
            under_load.wait().await;
        }
    }
    served
}
