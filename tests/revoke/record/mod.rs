//! What is revoked with a token, and what is not.

use std::{
    pin::pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

mod cascade;
mod dates;
mod outcome;

use futures::{
    FutureExt as _,
    channel::oneshot,
    executor::block_on,
    future::{Shared, join, ready},
    poll,
};
use tempfile::TempDir;
use tower::{BoxError, Service, ServiceExt, service_fn};
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    enforce::Index,
    introspect::{
        Introspected, Introspection, Reason, TokenKind,
        issued::{Grant, IssuedToken, IssuedTokens, NewToken, Rotation},
    },
    log::{
        Durability, EmbeddedLog, LogError, LogErrorKind, LogHealth, MemoryLog, NumericDate,
        Position, Reader, Revocation, RevocationLog, Selector, Snapshot,
    },
    revoke::{Cascade, RecordRevocation},
};

const HOUR: Duration = Duration::from_secs(3600);

struct Server {
    _folder: TempDir,
    log: EmbeddedLog,
    tokens: IssuedTokens,
    index: Index,
}

impl Server {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(folder.path().join("tokens.redb")).unwrap();
        let tokens = IssuedTokens::open(log.clone()).await.unwrap();
        let index = Index::follow(&log).await.unwrap();
        Self {
            _folder: folder,
            log,
            tokens,
            index,
        }
    }

    fn backend(&self) -> RecordRevocation<IssuedTokens, EmbeddedLog> {
        RecordRevocation::new(self.tokens.clone(), self.log.clone())
            .responsible_for_all_tokens(true)
            .longest_lifetime(self.tokens.longest_lifetime())
    }

    /// Issues an access token and a refresh token.
    async fn issue(&self, grant: &str, client_id: &str, sub: Option<&str>) -> [Secret; 2] {
        let mut grant = Grant::new(grant, client_id);
        grant.sub = sub.map(str::to_owned);
        secrets(self.tokens.issue(grant, both()).await.unwrap().unwrap())
    }

    async fn revoke(&self, client_id: &str, token: &Secret) -> Outcome {
        revoke(self.backend(), client_id, token).await
    }

    fn is_live(&self, token: &Secret) -> bool {
        let token = block_on(self.tokens.introspect(token)).unwrap();
        token.is_some_and(|token| self.index.is_live(&token, NumericDate::now()))
    }

    async fn records(&self) -> u64 {
        Snapshot::of(&self.log).await.unwrap().position.sequence
    }
}

async fn revoke(
    backend: RecordRevocation<IssuedTokens, EmbeddedLog>,
    client_id: &str,
    token: &Secret,
) -> Outcome {
    let request = RevocationRequest::new(client_id.to_owned(), token.clone());
    backend.oneshot(request).await.unwrap()
}

fn both() -> Vec<NewToken> {
    vec![
        NewToken::access_token(HOUR),
        NewToken::refresh_token(24 * HOUR),
    ]
}

fn secrets(issued: Vec<IssuedToken>) -> [Secret; 2] {
    let secrets: Vec<_> = issued.into_iter().map(|issued| issued.token).collect();
    secrets.try_into().unwrap()
}

/// Makes a backend whose introspection always returns this token, and returns its log too.
fn backend_of(
    token: Introspection,
) -> (
    impl Service<RevocationRequest<&'static str>, Response = Outcome, Error = BoxError> + Clone,
    MemoryLog,
) {
    let introspect = service_fn(move |_: Secret| {
        let token = token.clone();
        async { Ok::<_, BoxError>(Some(token)) }
    });
    let log = MemoryLog::new();
    (RecordRevocation::new(introspect, log.clone()), log)
}

fn request() -> RevocationRequest<&'static str> {
    RevocationRequest::new("c1", Secret::new("45ghiukldjahdnhzdauz"))
}
