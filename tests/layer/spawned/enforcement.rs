//! Introspections with boxed errors.

use std::time::Duration;

use hyper::StatusCode;
use tower::{BoxError, Layer as _, service_fn, timeout::Timeout, util::BoxCloneSyncService};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Index, Policy, WhenUnknown},
    introspect::{ByFormat, Introspection, TokenKind},
    log::{MemoryLog, NumericDate},
};

use crate::spawned::connection::{call, inner};

fn live() -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, "spa-1");
    token.iat = Some(NumericDate::new(1_300_819_380));
    token
}

/// The status of a request whose token this introspection looks up.
macro_rules! enforced {
    ($introspect:expr) => {{
        let index = Index::follow(&MemoryLog::new()).await.unwrap();
        answered!(
            EnforcementLayer::new($introspect, index).layer(inner()),
            call()
        )
    }};
}

#[tokio::test]
async fn closure_with_boxed_errors() {
    let introspect = service_fn(async |_: Secret| Ok::<_, BoxError>(Some(live())));
    assert_eq!(enforced!(introspect), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn closure_that_fails() {
    let introspect =
        service_fn(async |_: Secret| Err::<Option<Introspection>, _>(BoxError::from("down")));
    assert_eq!(enforced!(introspect), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn boxed_service() {
    let introspect = service_fn(async |_: Secret| Ok::<_, BoxError>(None::<Introspection>));
    let introspect = BoxCloneSyncService::new(introspect);
    assert_eq!(enforced!(introspect), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn introspections_by_format_behind_a_timeout() {
    let closure = service_fn(async |_: Secret| Ok::<_, BoxError>(Some(live())));
    let boxed = BoxCloneSyncService::new(closure);
    let introspect = ByFormat::new(ByFormat::new(boxed, closure), closure);
    let introspect = Timeout::new(introspect, Duration::from_secs(10));
    assert_eq!(enforced!(introspect), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn confirming_authority() {
    let closure = service_fn(async |_: Secret| Ok::<_, BoxError>(Some(live())));
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let layer = EnforcementLayer::new(closure, index)
        .policy(Policy::new().when_unknown(WhenUnknown::Introspect))
        .confirm_by(BoxCloneSyncService::new(closure));
    let answer = answered!(layer.layer(inner()), call());
    assert_eq!(answer, StatusCode::NO_CONTENT);
}
