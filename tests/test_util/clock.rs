//! The clock of the issuer against the clock of the layer.

use std::{convert::Infallible, time::Duration};

use http_body_util::Empty;
use hyper::{Request, Response, StatusCode, body::Bytes, header};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    enforce::{EnforcementLayer, Index},
    log::{MemoryLog, NumericDate},
    test_util::TestIssuer,
};

async fn status(issuer: &TestIssuer, token: &str) -> StatusCode {
    let index = Index::follow(&MemoryLog::new()).await.unwrap();
    let inner = service_fn(async |_: Request<Empty<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let request = Request::get("/")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Empty::new())
        .unwrap();
    let api = EnforcementLayer::new(issuer.tokens(), index).layer(inner);
    api.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn rewound_clock_makes_expired_tokens() {
    let issuer = TestIssuer::new("https://issuer.test");
    assert_eq!(status(&issuer, &issuer.token().sign()).await, 200);
    issuer.clock().rewind(Duration::from_hours(1));
    assert_eq!(status(&issuer, &issuer.token().sign()).await, 401);
    issuer.clock().advance(Duration::from_hours(1));
    assert_eq!(status(&issuer, &issuer.token().sign()).await, 200);
}

#[tokio::test]
async fn advanced_clock_makes_tokens_that_are_not_yet_valid() {
    let issuer = TestIssuer::new("https://issuer.test");
    issuer.clock().advance(Duration::from_hours(1));
    assert_eq!(status(&issuer, &issuer.token().sign()).await, 401);
}

#[test]
fn set_clock_runs_on() {
    let issuer = TestIssuer::new("https://issuer.test");
    let moment = NumericDate::new(1_700_000_000);
    issuer.clock().set(moment);
    let now = issuer.clone().clock().now();
    assert!(
        moment <= now && now < moment + Duration::from_mins(5),
        "{now:?}"
    );
}

#[test]
fn clock_stays_within_its_range() {
    let issuer = TestIssuer::new("https://issuer.test");
    issuer.clock().rewind(Duration::MAX);
    issuer.clock().rewind(Duration::MAX);
    assert_eq!(issuer.clock().now(), NumericDate::new(0));
    issuer.clock().set(NumericDate::FOREVER);
    issuer.clock().advance(Duration::MAX);
    assert!(issuer.clock().now() > NumericDate::now());
}
