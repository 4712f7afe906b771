//! `IssuedTokens`: opaque tokens of an authorization server that uses this crate.

mod revocation;
mod rotation;

use std::{path::PathBuf, time::Duration};

use futures::{executor::block_on, future::join_all};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    enforce::Index,
    introspect::{
        Introspection, Scope, TokenKind,
        issued::{
            Grant, IssuedToken, IssuedTokens, IssuedTokensBuilder, NewToken, Rotation, TokenUse,
        },
    },
    log::{EmbeddedLog, LogErrorKind, NumericDate, Revocation, RevocationLog, Selector},
    revoke::{AdminRequest, Administration, Target},
};

const ISSUER: &str = "https://as.example.com";

const HOUR: Duration = Duration::from_secs(3600);

struct Store {
    folder: TempDir,
    log: EmbeddedLog,
    tokens: IssuedTokens,
}

impl Store {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(folder.path().join("tokens.redb")).unwrap();
        let tokens = IssuedTokens::open(log.clone()).await.unwrap();
        Self {
            folder,
            log,
            tokens,
        }
    }

    /// The same tokens, with other settings.
    async fn open(&self, builder: IssuedTokensBuilder) -> IssuedTokens {
        builder.open(self.log.clone()).await.unwrap()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tokens.redb")
    }

    async fn issue(&self, grant: &str) -> Vec<IssuedToken> {
        let grant = Grant::new(grant, "s6BhdRkqt3")
            .subject("alice")
            .scope("read");
        self.tokens.issue(grant, both()).await.unwrap().unwrap()
    }
}

fn both() -> Vec<NewToken> {
    vec![
        NewToken::access_token(HOUR),
        NewToken::refresh_token(24 * HOUR),
    ]
}

fn forever(selector: Selector) -> Vec<Revocation> {
    vec![Revocation::forever(selector, NumericDate::FOREVER)]
}

fn successors(rotation: Rotation) -> Vec<IssuedToken> {
    match rotation {
        Rotation::Issued(issued) => issued,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn issued_tokens_are_known_and_others_are_not() {
    let store = Store::new().await;
    let issued = store.issue("g1").await;
    for (issued, kind) in issued
        .iter()
        .zip([TokenKind::AccessToken, TokenKind::RefreshToken])
    {
        let token = store
            .tokens
            .introspect(&issued.token)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((token.kind, token.client_id.as_str()), (kind, "s6BhdRkqt3"));
        assert_eq!(
            (token.sub.as_deref(), token.grant.as_deref()),
            (Some("alice"), Some("g1"))
        );
        assert_eq!(
            (token.scope.as_ref().map(Scope::as_str), token.rotated),
            (Some("read"), false)
        );
        assert_eq!((token.iat, token.exp), (Some(issued.iat), Some(issued.exp)));
    }
    assert!(
        store
            .tokens
            .introspect(&Secret::new("unknown"))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn tokens_carry_256_random_bits() {
    let store = Store::new().await;
    let issued = store.issue("g1").await;
    // 43 characters of base64url encode 256 bits.
    assert_eq!(issued[0].token.expose().len(), 43);
    assert_ne!(issued[0].token.expose(), issued[1].token.expose());
}

#[tokio::test]
async fn token_itself_is_never_in_the_file() {
    let store = Store::new().await;
    let mut issued = store.issue("g1").await;
    issued.extend(successors(
        store.tokens.rotate(&issued[1].token, both()).await.unwrap(),
    ));
    store
        .log
        .append(forever(Selector::grant("g1")))
        .await
        .unwrap();
    let path = store.path();
    let Store {
        folder: _folder,
        log,
        tokens,
    } = store;
    drop((log, tokens));

    let file = std::fs::read(path).unwrap();
    let holds = |needle: &[u8]| file.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(b"s6BhdRkqt3"), "a row is not masked");
    for issued in issued {
        let digest = Sha256::digest(issued.token.expose());
        assert!(holds(&digest), "the file has no such row");
        assert!(!holds(issued.token.expose().as_bytes()));
        // Not even a part of it.
        assert!(!holds(&issued.token.expose().as_bytes()[..16]));
    }
}

#[tokio::test]
async fn longest_lifetime_limits_lifetimes() {
    let store = Store::new().await;
    let tokens = store
        .open(IssuedTokens::builder().longest_lifetime(HOUR))
        .await;
    let order = vec![NewToken::refresh_token(1000 * HOUR)];
    let issued = tokens
        .issue(Grant::random("s6BhdRkqt3"), order)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(issued[0].exp, issued[0].iat + HOUR);
}

#[tokio::test]
async fn expired_tokens_are_known_for_a_while_and_then_removed() {
    let store = Store::new().await;
    let order = vec![NewToken::refresh_token(Duration::ZERO); 3000];
    let grant = Grant::new("g1", "s6BhdRkqt3");
    let expired = store
        .tokens
        .issue(grant, order)
        .await
        .unwrap()
        .unwrap()
        .remove(0)
        .token;
    let alive = store.issue("g2").await.remove(1).token;

    assert!(matches!(
        store.tokens.rotate(&expired, both()).await.unwrap(),
        Rotation::Invalid
    ));
    assert_eq!(store.tokens.sweep().await.unwrap(), 0);
    assert!(store.tokens.introspect(&expired).await.unwrap().is_some());

    let builder = IssuedTokens::builder().expired_retention(Duration::ZERO);
    let tokens = store.open(builder).await;
    assert_eq!(tokens.sweep().await.unwrap(), 3000);
    assert!(tokens.introspect(&expired).await.unwrap().is_none());
    assert!(tokens.introspect(&alive).await.unwrap().is_some());
}

#[tokio::test]
async fn tokens_survive_a_restart() {
    let store = Store::new().await;
    let mut issued = store.issue("g1").await;
    let refresh_token = issued.remove(1).token;
    successors(store.tokens.rotate(&refresh_token, both()).await.unwrap());
    let path = store.path();
    let Store {
        folder: _folder,
        log,
        tokens,
    } = store;
    drop((log, tokens));

    let tokens = IssuedTokens::open(EmbeddedLog::open(path).unwrap())
        .await
        .unwrap();
    assert!(tokens.introspect(&issued[0].token).await.unwrap().is_some());
    assert!(matches!(
        tokens.rotate(&refresh_token, both()).await.unwrap(),
        Rotation::Reused(_)
    ));
}

#[tokio::test]
async fn wrong_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.redb");
    let open = || EmbeddedLog::open(&path).unwrap();
    let keyed = |key: &[u8]| IssuedTokens::builder().key(key);
    let tokens = keyed(b"the key").open(open()).await.unwrap();
    let order = vec![NewToken::access_token(HOUR)];
    let issued = tokens
        .issue(Grant::new("g1", "c2"), order)
        .await
        .unwrap()
        .unwrap();
    drop(tokens);

    let error = keyed(b"another key").open(open()).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::WrongKey);
    let error = IssuedTokens::open(open()).await.unwrap_err();
    assert_eq!(error.kind(), LogErrorKind::WrongKey);
    let tokens = keyed(b"the key").open(open()).await.unwrap();
    assert!(tokens.introspect(&issued[0].token).await.unwrap().is_some());
}

#[test]
#[should_panic(expected = "is empty")]
fn empty_key_panics() {
    let _ = IssuedTokens::builder().key(b"");
}

#[tokio::test]
async fn token_may_have_a_narrower_scope_than_its_grant() {
    let store = Store::new().await;
    let grant = Grant::new("g1", "s6BhdRkqt3").scope("read write");
    let orders = vec![
        NewToken::access_token(HOUR).scope("read"),
        NewToken::refresh_token(HOUR),
    ];
    let issued = store.tokens.issue(grant, orders).await.unwrap().unwrap();
    let scope = |issued: &IssuedToken| {
        let token = block_on(store.tokens.introspect(&issued.token));
        token.unwrap().unwrap().scope.clone()
    };
    assert_eq!(scope(&issued[0]), Some(Scope::new("read")));
    assert_eq!(scope(&issued[1]), Some(Scope::new("read write")));
}

#[tokio::test]
async fn debug_shows_neither_tokens_nor_keys() {
    let store = Store::new().await;
    let issued = store.issue("g1").await;
    let shown = format!("{issued:?} {:?}", store.tokens);
    assert!(
        issued
            .iter()
            .all(|issued| !shown.contains(issued.token.expose()))
    );
}
