//! An issuer, a log and enforcement, without a network.

use std::{convert::Infallible, sync::Weak};

use http_body_util::Empty;
use hyper::{Request, Response, StatusCode, body::Bytes, header};
use tower::{Layer as _, service_fn};

use super::super::{history::SETS, *};
use crate::{
    enforce::{EnforcementLayer, Index, Policy, Refused, Verdict, WhenUnknown},
    jose::RemoteKeys,
    log::{
        Durability, LogError, LogHealth, MemoryLog, Position, Reader, Revocation, RevocationLog,
    },
};

/// A log with other writers, so that its silence makes an index stale.
pub(super) struct Remote(pub(super) MemoryLog);

impl RevocationLog for Remote {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        self.0.append(batch).await
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        self.0.follow(reader).await
    }

    fn health(&self) -> LogHealth {
        self.0.health()
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }
}

pub(super) const INDEXES: usize = 2;
pub(super) const LAYERS: usize = 4;

/// An issuer, and enforcement with a cache of its tokens.
pub(super) struct World {
    pub(super) source: Arc<FakeSource>,
    remote: RemoteKeys,
    layers: [EnforcementLayer<JwtTokens>; LAYERS],
}

impl World {
    pub(super) fn new(cache_capacity: usize, indexes: &[Index; INDEXES]) -> Self {
        let source = FakeSource::new(SETS[0].clone().unwrap(), Duration::from_secs(600));
        let remote = source.remote_keys(1);
        let tokens = fetched(&source).remote_keys(remote.clone());
        let tokens = tokens.cache_capacity(cache_capacity);
        let layer = |index: &Index| EnforcementLayer::new(tokens.clone(), index.clone());
        let when = |choice| layer(&indexes[0]).policy(Policy::new().when_unknown(choice));
        let layers = [
            layer(&indexes[0]),
            when(WhenUnknown::ServeStale { max: HOUR }),
            when(WhenUnknown::Introspect).confirm_by(tokens.clone()),
            layer(&indexes[1]),
        ];
        Self {
            source,
            remote,
            layers,
        }
    }

    /// There is room for the keys of one issuer.
    pub(super) async fn fetch_keys_of_another_issuer(&self) {
        let _ = self.remote.keys("https://other.test/keys", None).await;
    }

    pub(super) async fn ask(&self, layer: usize, token: &str) -> Answer {
        let request = Request::builder().header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let api =
            service_fn(|_| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) });
        verified();
        let response = self.layers[layer]
            .layer(api)
            .oneshot(request)
            .await
            .unwrap();
        let refused = response.extensions().get::<Refused>();
        Answer {
            status: response.status(),
            verdict: refused.map(Refused::verdict),
            fetches: self.source.fetches(),
            verified: verified(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    verdict: Option<Verdict>,
    fetches: usize,
    /// How many signatures were verified.
    pub(super) verified: usize,
}

impl Answer {
    /// What a cache must not change.
    pub(super) fn told(&self) -> (StatusCode, Option<Verdict>, usize) {
        (self.status, self.verdict, self.fetches)
    }
}
