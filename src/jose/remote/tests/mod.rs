//! The cache on a paused clock, with a fake source.

mod callers;
mod down;
mod lifetime;
mod outdated;
mod refresh;
mod unknown_kid;
mod validity;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use tokio::{
    sync::Semaphore,
    time::{advance, timeout},
};

use super::{fetch::Fetched, *};

const URI: &str = "https://keys.example/jwks.json";

/// What the source returns, and how often it was asked.
struct Source {
    reply: Mutex<Reply>,
    asked: AtomicUsize,
    /// A fetch takes one before it ends.
    permits: Semaphore,
}

impl Cache {
    async fn keys(&self, uri: &str, kid: Option<&str>) -> Result<KeySet, RemoteError> {
        self.get(&at(uri), kid).await.map(|cached| cached.keys)
    }
}

#[derive(Clone)]
enum Reply {
    Keys(&'static str, Option<u64>),
    Failure,
    Panic,
}

fn source(reply: Reply) -> Arc<Source> {
    Arc::new(Source {
        reply: Mutex::new(reply),
        asked: AtomicUsize::new(0),
        permits: Semaphore::new(Semaphore::MAX_PERMITS),
    })
}

impl Source {
    fn replies(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Makes fetches wait until a test adds permits.
    fn hold(&self) {
        self.permits.forget_permits(Semaphore::MAX_PERMITS);
    }

    fn cache(self: &Arc<Self>) -> Cache {
        self.cache_with(Limits::default())
    }

    fn cache_with(self: &Arc<Self>, limits: Limits) -> Cache {
        let source = Arc::clone(self);
        let fetch = move |_: KeySource| -> BoxFuture<'static, Result<Fetched, RemoteError>> {
            let source = Arc::clone(&source);
            Box::pin(async move {
                source.asked.fetch_add(1, Ordering::SeqCst);
                source.permits.acquire().await.unwrap().forget();
                let reply = source.reply.lock().unwrap().clone();
                match reply {
                    Reply::Keys(kid, lifetime) => Ok(Fetched {
                        keys: set(kid),
                        lifetime: lifetime.map(Duration::from_secs),
                    }),
                    Reply::Failure => Err(RemoteError::new(RemoteErrorKind::Unreachable, "down")),
                    Reply::Panic => panic!("a defect"),
                }
            })
        };
        Cache::new(limits, Box::new(fetch))
    }
}

fn at(uri: &str) -> KeySource {
    KeySource::client(uri).unwrap()
}

/// A set with one key.
fn set(kid: &str) -> KeySet {
    let jwks = serde_json::json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "kid": kid,
        // RFC 7515 A.3
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }] });
    KeySet::from_json(&jwks.to_string()).unwrap()
}

async fn seconds(seconds: u64) {
    advance(Duration::from_secs(seconds)).await;
}
