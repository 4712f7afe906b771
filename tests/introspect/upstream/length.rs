//! How long a token may be.

use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::{Introspected, Reason, upstream::Upstream},
};

#[tokio::test]
async fn server_is_not_asked_about_a_token_that_is_too_long() {
    // Nobody listens there: who asks has no answer.
    let tokens = Upstream::new("http://127.0.0.1:1/introspect").unwrap();
    let token = |length| Secret::new("x".repeat(length));
    let answer = tokens.clone().oneshot(token(16 * 1024 + 1)).await;
    assert_eq!(
        answer.unwrap(),
        Introspected::unhandled(Reason::NotAToken, None)
    );
    tokens.clone().oneshot(token(16 * 1024)).await.unwrap_err();
    let longer = tokens.max_token(20_000);
    longer.clone().oneshot(token(20_000)).await.unwrap_err();
    assert!(longer.oneshot(token(20_001)).await.is_ok());
}
