//! The limit on the length of a token.

use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::{Introspected, Reason, upstream::Upstream},
};

#[tokio::test]
async fn server_is_not_asked_about_a_token_that_is_too_long() {
    // No server listens on this port, so a request fails.
    let builder = Upstream::builder("http://127.0.0.1:1/introspect");
    let tokens = builder.clone().build().unwrap();
    let token = |length| Secret::new("x".repeat(length));
    let introspected = tokens.clone().oneshot(token(16 * 1024 + 1)).await;
    assert_eq!(
        introspected.unwrap(),
        Introspected::unhandled(Reason::NotAToken, None)
    );
    tokens.clone().oneshot(token(16 * 1024)).await.unwrap_err();
    let longer = builder.max_token(20_000).build().unwrap();
    longer.clone().oneshot(token(20_000)).await.unwrap_err();
    assert!(longer.oneshot(token(20_001)).await.is_ok());
}
