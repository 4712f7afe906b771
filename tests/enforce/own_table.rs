//! Tokens in an own table, with a column that says whether a token is revoked.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Frame},
};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{
        BodyError, End, EnforcedBody, EnforcementLayer, Index, Policy, Verdict, WhenUnknown,
    },
    introspect::{Introspected, Introspection, Reason},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector, SelectorClass},
};

use crate::fixture::{
    Introspect, Known, RemoteLog, TOKEN, forever, good, guarded, request, revoked, verdict,
    with_token,
};

const BY_THE_TABLE: (StatusCode, Option<Verdict>) =
    (StatusCode::UNAUTHORIZED, Some(Verdict::Revoked(None)));

#[tokio::test]
async fn table_alone_decides_without_a_log() {
    let known = Known::with(good());
    let layer = EnforcementLayer::by_introspection(known.service());
    assert_eq!(verdict(&layer, with_token()).await, (StatusCode::OK, None));

    let unknown = Verdict::Invalid(Reason::Unrecognised);
    let other = request(Some("Bearer unknown"));
    assert_eq!(verdict(&layer, other).await.1, Some(unknown));

    known.insert(TOKEN, revoked());
    assert_eq!(verdict(&layer, with_token()).await, BY_THE_TABLE);

    let mut token = good();
    token.rotated = true;
    known.insert(TOKEN, token);
    let rotated = Verdict::Invalid(Reason::Rotated);
    assert_eq!(verdict(&layer, with_token()).await.1, Some(rotated));

    let failed = (StatusCode::SERVICE_UNAVAILABLE, Some(Verdict::Unknown));
    let broken = request(Some("Bearer broken"));
    assert_eq!(verdict(&layer, broken).await, failed);
}

/// Only records need `iat`, and there are none.
#[tokio::test]
async fn table_without_a_log_needs_no_iat() {
    let mut token = good();
    token.iat = None;
    token.exp = None;
    let layer = EnforcementLayer::by_introspection(Known::with(token).service());
    assert_eq!(verdict(&layer, with_token()).await, (StatusCode::OK, None));
}

#[tokio::test]
async fn open_stream_without_a_log_ends_at_exp_and_not_with_the_row() {
    let mut token = good();
    token.exp = Some(NumericDate::now() + Duration::from_secs(2));
    let known = Known::with(token);
    let layer = EnforcementLayer::by_introspection(known.service());
    let mut body = silent_stream(&layer).await;
    let mut next = tokio_test::task::spawn(body.frame());
    assert!(next.poll().is_pending());

    known.insert(TOKEN, revoked());
    assert!(next.poll().is_pending());
    assert_eq!(verdict(&layer, with_token()).await, BY_THE_TABLE);

    assert_eq!(
        next.await.unwrap().unwrap_err(),
        BodyError::End(End::Expired)
    );
}

/// The body of a response that sends nothing and does not end.
async fn silent_stream<I>(layer: &EnforcementLayer<I>) -> EnforcedBody<Silence>
where
    I: tower::Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
{
    let api = service_fn(|_: Request<_>| {
        let silence: Silence = StreamBody::new(futures::stream::pending());
        ready(Ok::<_, BoxError>(Response::new(silence)))
    });
    let response = layer.layer(api).oneshot(with_token()).await;
    response.unwrap().into_body()
}

type Silence = StreamBody<futures::stream::Pending<Result<Frame<Bytes>, Infallible>>>;

#[tokio::test]
async fn token_that_the_table_revoked_is_refused_with_or_without_a_record() {
    let (layer, log) = guarded(revoked()).await;
    assert_eq!(verdict(&layer, with_token()).await, BY_THE_TABLE);
    // A record adds its class.
    log.append(forever(Selector::grant("g1"))).await.unwrap();
    let by_grant = Verdict::Revoked(Some(SelectorClass::Grant));
    assert_eq!(verdict(&layer, with_token()).await.1, Some(by_grant));
}

#[tokio::test]
async fn revoked_outranks_other_reasons_and_expired_outranks_revoked() {
    let layer = |token| EnforcementLayer::by_introspection(Known::with(token).service());
    let mut token = revoked();
    token.iat = None;
    token.sid = None;
    token.rotated = true;
    let requiring = layer(token).require(SelectorClass::Session);
    assert_eq!(verdict(&requiring, with_token()).await, BY_THE_TABLE);

    let mut token = revoked();
    token.exp = Some(NumericDate::now());
    let expired = verdict(&layer(token), with_token()).await.1;
    assert_eq!(expired, Some(Verdict::Expired));
}

/// The table knows it, whatever the index knows.
#[tokio::test]
async fn old_index_does_not_make_a_revoked_token_unknown() {
    let max = Duration::MAX;
    for when_unknown in [
        WhenUnknown::Deny,
        WhenUnknown::ServeStale { max },
        WhenUnknown::Introspect,
    ] {
        let known = Known::with(revoked()).service();
        let layer = EnforcementLayer::new(known, Index::new())
            .policy(Policy::new().when_unknown(when_unknown));
        assert_eq!(verdict(&layer, with_token()).await, BY_THE_TABLE);
    }
}

#[tokio::test]
async fn confirming_authority_can_revoke_the_token() {
    let index = Index::new().stale_after(Duration::ZERO);
    index.load(&RemoteLog::default()).await.unwrap();
    while index.readiness().is_ready() {
        tokio::task::yield_now().await;
    }
    let layer = EnforcementLayer::new(Known::with(good()).service(), index)
        .policy(Policy::new().when_unknown(WhenUnknown::Introspect))
        .confirm_by(Known::with(revoked()).service());
    assert_eq!(verdict(&layer, with_token()).await, BY_THE_TABLE);
}

#[tokio::test]
async fn verified_token_of_an_extension_can_be_revoked() {
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let layer = EnforcementLayer::from_extension(index);
    let mut request = with_token();
    request.extensions_mut().insert(revoked());
    assert_eq!(verdict(&layer, request).await, BY_THE_TABLE);
}

#[tokio::test]
async fn index_does_not_call_a_revoked_token_live() {
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let now = NumericDate::now();
    assert!(index.is_live(&good(), now) && !index.is_live(&revoked(), now));
}

/// A table that revokes a token in its row first, and then in the log.
#[derive(Clone)]
struct Table {
    rows: Arc<Mutex<HashMap<String, Introspection>>>,
    log: MemoryLog,
}

impl Table {
    fn service(&self) -> Introspect {
        let rows = self.rows.clone();
        Introspect::new(service_fn(move |token: Secret| {
            ready(Ok(rows.lock().unwrap().get(token.expose()).cloned()))
        }))
    }

    async fn revoke(&self, token: &str) {
        let selector = {
            let mut rows = self.rows.lock().unwrap();
            let row = rows.get_mut(token).unwrap();
            row.revoked = true;
            row.token.unwrap()
        };
        let soon = NumericDate::now() + Duration::from_secs(1);
        let record = Revocation::forever(selector, soon);
        self.log.append(vec![record]).await.unwrap();
    }
}

#[tokio::test]
async fn open_stream_is_cut_when_the_table_appends_to_the_log() {
    let table = Table {
        rows: Arc::new(Mutex::new(HashMap::from([(TOKEN.into(), good())]))),
        log: MemoryLog::new(),
    };
    let index = Index::follow(&table.log).await.unwrap();
    let layer = EnforcementLayer::new(table.service(), index.clone());
    let mut body = silent_stream(&layer).await;
    let mut next = tokio_test::task::spawn(body.frame());
    assert!(next.poll().is_pending());

    table.revoke(TOKEN).await;
    let end = End::Revoked(Some(SelectorClass::Token));
    assert_eq!(next.await.unwrap().unwrap_err(), BodyError::End(end));

    // The row stays when the record is gone.
    index.sweep(NumericDate::now() + Duration::from_secs(10));
    assert_eq!(index.len(), 0);
    assert_eq!(verdict(&layer, with_token()).await, BY_THE_TABLE);
}
