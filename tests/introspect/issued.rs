//! `IssuedTokens`: opaque tokens of an authorization server that uses this crate.

use std::{path::PathBuf, time::Duration};

use futures::future::join_all;
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
        let token = store.tokens.introspect(&issued.token).unwrap().unwrap();
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
    assert!(holds(b"s6BhdRkqt3"), "the file has no rows in plain text");
    for issued in issued {
        assert!(!holds(issued.token.expose().as_bytes()));
        // Not even a part of it.
        assert!(!holds(&issued.token.expose().as_bytes()[..16]));
    }
}

#[tokio::test]
async fn one_of_two_rotations_at_once_succeeds() {
    let store = Store::new().await;
    for round in 0..50 {
        let refresh_token = store.issue(&round.to_string()).await.remove(1).token;
        let attempts = (0..4).map(|_| store.tokens.rotate(&refresh_token, both()));
        let rotations = join_all(attempts).await;
        let won = rotations
            .iter()
            .filter(|rotation| matches!(rotation, Ok(Rotation::Issued(_))));
        assert_eq!(won.count(), 1);
        let reused = rotations
            .iter()
            .filter(|rotation| matches!(rotation, Ok(Rotation::Reused(_))));
        assert_eq!(reused.count(), 3);
    }
}

#[tokio::test]
async fn rotated_token_is_still_known_as_rotated() {
    let store = Store::new().await;
    let refresh_token = store.issue("g1").await.remove(1).token;
    let next = successors(store.tokens.rotate(&refresh_token, both()).await.unwrap());
    assert!(
        store
            .tokens
            .introspect(&refresh_token)
            .unwrap()
            .unwrap()
            .rotated
    );
    assert!(
        !store
            .tokens
            .introspect(&next[1].token)
            .unwrap()
            .unwrap()
            .rotated
    );
}

#[tokio::test]
async fn access_token_cannot_be_rotated() {
    let store = Store::new().await;
    let access_token = store.issue("g1").await.remove(0).token;
    let rotation = store.tokens.rotate(&access_token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
}

#[tokio::test]
async fn nothing_is_issued_in_a_revoked_grant() {
    let store = Store::new().await;
    let refresh_token = store.issue("g1").await.remove(1).token;
    store
        .log
        .append(forever(Selector::grant("g1")))
        .await
        .unwrap();

    let rotation = store.tokens.rotate(&refresh_token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
    let grant = Grant::new("g1", "s6BhdRkqt3");
    assert!(store.tokens.issue(grant, both()).await.unwrap().is_none());
}

#[tokio::test]
async fn token_that_was_revoked_alone_cannot_be_rotated() {
    let store = Store::new().await;
    let refresh_token = store.issue("g1").await.remove(1).token;
    let selector = store
        .tokens
        .introspect(&refresh_token)
        .unwrap()
        .unwrap()
        .token;
    store.log.append(forever(selector.unwrap())).await.unwrap();
    let rotation = store.tokens.rotate(&refresh_token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
}

#[tokio::test]
async fn nothing_is_issued_into_a_covered_second() {
    let store = Store::new().await;
    let now = NumericDate::now() + Duration::from_secs(5);
    let selectors = [
        Selector::subject("alice"),
        Selector::client("s6BhdRkqt3"),
        Selector::subject_and_client("alice", "s6BhdRkqt3"),
    ];
    for (later, selector) in (0..).zip(selectors) {
        let not_before = now + Duration::from_secs(later);
        let record = Revocation::watermark(selector, not_before, NumericDate::FOREVER);
        store.log.append(vec![record]).await.unwrap();
        for issued in store.issue(&later.to_string()).await {
            assert!(
                !record.covers(issued.iat),
                "{issued:?} falls into {record:?}"
            );
        }
    }
}

#[tokio::test]
async fn watermark_between_two_issues_separates_them() {
    let store = Store::new().await;
    let old = store.issue("g1").await.remove(1);
    let record = Revocation::watermark(Selector::subject("alice"), old.iat, NumericDate::FOREVER);
    store.log.append(vec![record]).await.unwrap();
    assert!(matches!(
        store.tokens.rotate(&old.token, both()).await.unwrap(),
        Rotation::Invalid
    ));
    let new = store.issue("g2").await.remove(1);
    successors(store.tokens.rotate(&new.token, both()).await.unwrap());
}

#[tokio::test]
async fn self_contained_token_is_not_signed_in_a_revoked_grant() {
    let store = Store::new().await;
    let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let before = NumericDate::now();
    let iat = store.tokens.earliest_iat(&grant).await.unwrap().unwrap();
    assert!(before <= iat && iat <= NumericDate::now());

    // The revocation is only queued. Its future is dropped.
    drop(store.log.append(forever(Selector::grant("g1"))));
    assert_eq!(store.tokens.earliest_iat(&grant).await.unwrap(), None);
    let other = Grant::new("g2", "s6BhdRkqt3").subject("alice");
    assert!(store.tokens.earliest_iat(&other).await.unwrap().is_some());
}

#[tokio::test]
async fn earliest_iat_is_never_a_covered_second() {
    let store = Store::new().await;
    let index = Index::follow(&store.log).await.unwrap();
    let tokens = store.open(IssuedTokens::builder().issuer(ISSUER)).await;
    let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let jwt = |iat| {
        let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
        token.iss = Some(ISSUER.into());
        token.sub = Some("alice".into());
        token.grant = Some("g1".into());
        token.iat = Some(iat);
        token
    };
    let selectors = [
        Selector::subject("alice"),
        Selector::client("s6BhdRkqt3"),
        Selector::subject_and_client("alice", "s6BhdRkqt3"),
        Selector::issuer(ISSUER),
    ];
    let later = NumericDate::now() + Duration::from_secs(5);
    for (seconds, selector) in (0..).zip(selectors) {
        let old = jwt(tokens.earliest_iat(&grant).await.unwrap().unwrap());
        assert!(!index.covers(&old));
        let not_before = later + Duration::from_secs(seconds);
        let record = Revocation::watermark(selector, not_before, NumericDate::FOREVER);
        store.log.append(vec![record]).await.unwrap();
        assert!(index.covers(&old), "{selector:?}");
        let new = tokens.earliest_iat(&grant).await.unwrap().unwrap();
        assert_eq!(new, not_before + Duration::from_secs(1), "{selector:?}");
        assert!(!index.covers(&jwt(new)), "{selector:?}");
    }
}

#[tokio::test]
async fn record_about_the_issuer_revokes_old_tokens_and_not_new_ones() {
    let store = Store::new().await;
    let tokens = store.open(IssuedTokens::builder().issuer(ISSUER)).await;
    let index = Index::follow(&store.log).await.unwrap();
    let grant = || Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let old = tokens.issue(grant(), both()).await.unwrap().unwrap();
    let known = |issued: &IssuedToken| tokens.introspect(&issued.token).unwrap().unwrap();
    assert_eq!(known(&old[0]).iss.as_deref(), Some(ISSUER));

    let order = AdminRequest::new(Target::Issuer(ISSUER.into()));
    let administration = Administration::new(store.log.clone());
    let receipt = administration.oneshot(order).await.unwrap();
    assert!(old.iter().all(|issued| index.covers(&known(issued))));
    let rotation = tokens.rotate(&old[1].token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));

    let new = tokens.issue(grant(), both()).await.unwrap().unwrap();
    for issued in &new {
        assert!(issued.iat > receipt.not_before);
        assert!(!index.covers(&known(issued)));
    }

    // An issuer that is revoked forever issues no more tokens.
    store
        .log
        .append(forever(Selector::issuer(ISSUER)))
        .await
        .unwrap();
    assert!(tokens.issue(grant(), both()).await.unwrap().is_none());
    assert_eq!(tokens.earliest_iat(&grant()).await.unwrap(), None);
    // Tokens without an issuer are not affected.
    assert!(store.tokens.issue(grant(), both()).await.unwrap().is_some());
}

#[tokio::test]
async fn records_about_a_tenant_revoke_only_its_tokens() {
    let store = Store::new().await;
    let tokens = store.open(IssuedTokens::builder().tenant("one")).await;
    let index = Index::follow(&store.log).await.unwrap();
    let grant = || Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let issued = tokens.issue(grant(), both()).await.unwrap().unwrap();
    let known = |issued: &IssuedToken| tokens.introspect(&issued.token).unwrap().unwrap();
    assert_eq!(known(&issued[0]).tenant.as_deref(), Some("one"));

    for theirs in [Selector::grant("g1"), Selector::grant("g1").within("other")] {
        store.log.append(forever(theirs)).await.unwrap();
    }
    assert!(!index.covers(&known(&issued[0])));
    let rotation = tokens.rotate(&issued[1].token, both()).await.unwrap();
    let issued = successors(rotation);

    let ours = Selector::grant("g1").within("one");
    store.log.append(forever(ours)).await.unwrap();
    assert!(issued.iter().all(|issued| index.covers(&known(issued))));
    let rotation = tokens.rotate(&issued[1].token, both()).await.unwrap();
    assert!(matches!(rotation, Rotation::Invalid));
    assert!(tokens.issue(grant(), both()).await.unwrap().is_none());
    assert_eq!(tokens.earliest_iat(&grant()).await.unwrap(), None);
}

#[tokio::test]
async fn authorization_code_is_single_use_and_keeps_its_note() {
    let store = Store::new().await;
    let grant = Grant::new("g1", "s6BhdRkqt3").subject("alice");
    let order = vec![NewToken::authorization_code(HOUR).note("challenge")];
    let code = store
        .tokens
        .issue(grant.clone(), order)
        .await
        .unwrap()
        .unwrap()
        .remove(0)
        .token;

    let known = store.tokens.look_up(&code).unwrap().unwrap();
    assert_eq!(
        (known.usage, known.note.as_str()),
        (TokenUse::AuthorizationCode, "challenge")
    );
    assert_eq!((known.grant, known.used), (grant.clone(), false));
    // Neither revocation nor introspection knows the code.
    assert!(store.tokens.introspect(&code).unwrap().is_none());

    assert_eq!(
        successors(store.tokens.rotate(&code, both()).await.unwrap()).len(),
        2
    );
    match store.tokens.rotate(&code, both()).await.unwrap() {
        Rotation::Reused(reused) => assert_eq!(reused, grant),
        other => panic!("{other:?}"),
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
    assert!(store.tokens.introspect(&expired).unwrap().is_some());

    let builder = IssuedTokens::builder().expired_retention(Duration::ZERO);
    let tokens = store.open(builder).await;
    assert_eq!(tokens.sweep().await.unwrap(), 3000);
    assert!(tokens.introspect(&expired).unwrap().is_none());
    assert!(tokens.introspect(&alive).unwrap().is_some());
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
    assert!(tokens.introspect(&issued[0].token).unwrap().is_some());
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
    assert!(tokens.introspect(&issued[0].token).unwrap().is_some());
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
        store
            .tokens
            .introspect(&issued.token)
            .unwrap()
            .unwrap()
            .scope
            .clone()
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
