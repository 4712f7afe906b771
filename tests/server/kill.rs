//! `kill -9` under load: what was answered with 200 holds.

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

/// Kills to survive, more by `KILLS`, and revocations to have been answered, more by `REVOCATIONS`.
fn wanted(name: &str, least: usize) -> usize {
    std::env::var(name)
        .map_or(least, |number| number.parse().expect("a number"))
        .max(least)
}

const CALLERS: usize = 16;

/// The tokens of one round, by what the client heard of them.
#[derive(Default)]
struct Heard {
    revoked: Mutex<Vec<String>>,
    kept: Mutex<Vec<String>>,
    answered: AtomicUsize,
    /// Nothing more is asked: the port of a server that is gone may soon be that of another one.
    over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_confirmed_revocation_holds_after_a_kill() {
    let (kills, revocations) = (wanted("KILLS", 50), wanted("REVOCATIONS", 5_000));
    let (_folder, data) = folder();
    let (mut revoked, mut kept) = (Vec::new(), Vec::new());
    let mut round = 0;
    while round < kills || revoked.len() < revocations {
        // Never twice at the same point of a commit.
        let until = revocations.div_ceil(kills) + round * 7 % 31;
        let heard = load_and_kill(&data, until).await;
        let new: Vec<_> = heard.revoked.lock().unwrap().drain(..).collect();
        let alive: Vec<_> = heard.kept.lock().unwrap().drain(..).collect();
        check(&data, &new, &alive).await;
        revoked.extend(new);
        kept.extend(alive);
        round += 1;
    }
    println!(
        "{round} kills, {} answered revocations, {} tokens kept",
        revoked.len(),
        kept.len()
    );
    check(&data, &revoked, &kept).await;
}

/// Callers get tokens and revoke all but every tenth, until enough were answered. Then the process
/// dies in the middle of what they are doing.
async fn load_and_kill(data: &Path, until: usize) -> Arc<Heard> {
    let server = Server::start(data);
    let http = Http::to(server.url(""));
    let heard = Arc::new(Heard::default());
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| tokio::spawn(call(http.clone(), heard.clone(), caller, until)))
        .collect();
    // A caller that fails is heard of below.
    while heard.answered.load(Ordering::SeqCst) < until
        && !callers.iter().all(JoinHandle::is_finished)
    {
        tokio::task::yield_now().await;
    }
    heard.over.store(true, Ordering::SeqCst);
    server.kill();
    for caller in callers {
        caller.await.unwrap();
    }
    heard
}

async fn call(http: Http, heard: Arc<Heard>, caller: usize, until: usize) {
    // Bounded, should the kill never come.
    for turn in 0..100 * until {
        if heard.over.load(Ordering::SeqCst) {
            return;
        }
        let parameters = [("grant_type", "client_credentials")];
        let Some(answer) = http.try_post("/oauth2/token", C1, &parameters).await else {
            return;
        };
        let token = answer.text("access_token");
        if (caller + turn) % 10 == 0 {
            heard.kept.lock().unwrap().push(token);
            continue;
        }
        if heard.over.load(Ordering::SeqCst) {
            return;
        }
        let revoked = http
            .try_post("/oauth2/revoke", C1, &[("token", &*token)])
            .await;
        // Without an answer it may or may not have happened.
        let Some(answer) = revoked else { return };
        assert_eq!(answer.status, 200, "{answer:?}");
        heard.revoked.lock().unwrap().push(token);
        heard.answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// After a restart: the revoked are refused, the others are not.
async fn check(data: &Path, revoked: &[String], kept: &[String]) {
    let server = Server::start(data);
    let http = Http::to(server.url(""));
    for (tokens, status) in [(revoked, 401), (kept, 200)] {
        for tokens in tokens.chunks(CALLERS) {
            let answers = join_all(tokens.iter().map(|token| http.me(token))).await;
            assert!(
                answers.iter().all(|answer| answer.status == status),
                "{answers:?}"
            );
        }
    }
    server.kill();
}
