//! A token without `exp`, and a body without an end.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame},
    header,
};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{BodyError, End, EnforcementLayer, Index, TokenLife},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector, SelectorClass},
};

#[tokio::test]
async fn stream_of_a_token_without_exp_is_cut() {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let introspect = service_fn(async |_: Secret| {
        let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
        token.grant = Some("g1".into());
        token.iat = Some(NumericDate::new(1000));
        Ok::<_, BoxError>(Some(token))
    });
    let api = service_fn(async |request: Request<Empty<Bytes>>| {
        // A handler that waits for the end itself is woken too.
        assert!(request.extensions().get::<TokenLife>().is_some());
        let silence = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
        Ok::<_, BoxError>(Response::new(StreamBody::new(silence)))
    });
    let service = EnforcementLayer::new(introspect, index.clone()).layer(api);
    let request = Request::get("/")
        .header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM")
        .body(Empty::new())
        .unwrap();
    let mut body = service.oneshot(request).await.unwrap().into_body();

    let mut next = tokio_test::task::spawn(body.frame());
    assert!(next.poll().is_pending());
    assert_eq!(index.watched(), 1);
    let record = Revocation::forever(Selector::grant("g1"), NumericDate::FOREVER);
    log.append(vec![record]).await.unwrap();
    let end = End::Revoked(Some(SelectorClass::Grant));
    assert_eq!(next.await.unwrap().unwrap_err(), BodyError::End(end));
}
