//! `kill -9` under load: revocations that returned 200 hold.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures::future::join_all;
use tokio::task::JoinHandle;

use super::{
    http::{C1, Http},
    process::{Server, folder},
};

/// The number of kills and of revocations. The variables `KILLS` and `REVOCATIONS` can raise them.
fn minimum(name: &str, least: usize) -> usize {
    std::env::var(name)
        .map_or(least, |number| number.parse().expect("a number"))
        .max(least)
}

const CALLERS: usize = 16;

/// The tokens of one round, by the responses of the server.
#[derive(Default)]
struct Outcomes {
    revoked: Mutex<Vec<String>>,
    kept: Mutex<Vec<String>>,
    confirmed: AtomicUsize,
    /// Stops the callers: another server may soon have the port of the killed one.
    over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_confirmed_revocation_holds_after_a_kill() {
    let (kills, revocations) = (minimum("KILLS", 50), minimum("REVOCATIONS", 5_000));
    let (_folder, data) = folder();
    let (mut revoked, mut kept) = (Vec::new(), Vec::new());
    let mut round = 0;
    while round < kills || revoked.len() < revocations {
        // At different points of a commit.
        let until = revocations.div_ceil(kills) + round * 7 % 31;
        let outcomes = load_and_kill(&data, until).await;
        let new: Vec<_> = outcomes.revoked.lock().unwrap().drain(..).collect();
        let alive: Vec<_> = outcomes.kept.lock().unwrap().drain(..).collect();
        check(&data, &new, &alive).await;
        revoked.extend(new);
        kept.extend(alive);
        round += 1;
    }
    println!(
        "{round} kills, {} confirmed revocations, {} tokens kept",
        revoked.len(),
        kept.len()
    );
    check(&data, &revoked, &kept).await;
}

/// Callers get tokens and revoke all except every tenth, until enough are confirmed. Then the
/// process is killed while they continue.
async fn load_and_kill(data: &Path, until: usize) -> Arc<Outcomes> {
    let server = Server::start(data);
    let http = Http::to(server.url(""));
    let outcomes = Arc::new(Outcomes::default());
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| tokio::spawn(call(http.clone(), outcomes.clone(), caller, until)))
        .collect();
    // The loop below reports a failed caller.
    while outcomes.confirmed.load(Ordering::SeqCst) < until
        && !callers.iter().all(JoinHandle::is_finished)
    {
        tokio::task::yield_now().await;
    }
    outcomes.over.store(true, Ordering::SeqCst);
    server.kill();
    for caller in callers {
        caller.await.unwrap();
    }
    outcomes
}

async fn call(http: Http, outcomes: Arc<Outcomes>, caller: usize, until: usize) {
    // Limited, in case the kill never happens.
    for turn in 0..100 * until {
        if outcomes.over.load(Ordering::SeqCst) {
            return;
        }
        let parameters = [("grant_type", "client_credentials")];
        let Some(response) = http.try_post("/oauth2/token", C1, &parameters).await else {
            return;
        };
        let token = response.text("access_token");
        if (caller + turn) % 10 == 0 {
            outcomes.kept.lock().unwrap().push(token);
            continue;
        }
        if outcomes.over.load(Ordering::SeqCst) {
            return;
        }
        let revoked = http
            .try_post("/oauth2/revoke", C1, &[("token", &*token)])
            .await;
        // Without a response, the revocation may or may not have happened.
        let Some(response) = revoked else { return };
        assert_eq!(response.status, 200, "{response:?}");
        outcomes.revoked.lock().unwrap().push(token);
        outcomes.confirmed.fetch_add(1, Ordering::SeqCst);
    }
}

/// After a restart: revoked tokens are refused, and the others are not.
async fn check(data: &Path, revoked: &[String], kept: &[String]) {
    let server = Server::start(data);
    let http = Http::to(server.url(""));
    for (tokens, status) in [(revoked, 401), (kept, 200)] {
        for tokens in tokens.chunks(CALLERS) {
            let responses = join_all(tokens.iter().map(|token| http.me(token))).await;
            assert!(
                responses.iter().all(|response| response.status == status),
                "{responses:?}"
            );
        }
    }
    server.kill();
}
