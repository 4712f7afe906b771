//! The clock goes ahead and back, and records are forgotten too early.

use std::{convert::Infallible, sync::mpsc, time::Duration};

use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame},
};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    enforce::{BodyError, End, EnforcementLayer, Index, TokenLife},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
};

use crate::fixture::{Known, good, with_token};

/// An endless body of frames that are always ready.
fn frames() -> BoxBody<Bytes, Infallible> {
    let frames = std::iter::repeat_with(|| Ok(Frame::data(Bytes::from_static(b"event"))));
    StreamBody::new(futures::stream::iter(frames)).boxed()
}

/// What the handler gets and what the client gets. The life is not used before the clock jumps.
#[tokio::test]
async fn life_and_body_end_when_a_record_of_their_token_may_have_been_forgotten() {
    for exp in [good().exp, None] {
        let (mut token, now) = (good(), NumericDate::now());
        token.exp = exp;
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let layer = EnforcementLayer::new(Known::with(token.clone()).service(), index.clone());
        let (sender, receiver) = mpsc::channel();
        let api = layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
            let life = request.extensions().get::<TokenLife>().cloned();
            sender.send(life.unwrap()).unwrap();
            std::future::ready(Ok::<_, BoxError>(Response::new(frames())))
        }));
        let mut body = api.oneshot(with_token()).await.unwrap().into_body();
        let life = receiver.recv().unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        let end = exp.unwrap_or(now + Duration::from_secs(3600));
        let record = Revocation::forever(Selector::grant("g1"), end);
        log.append(vec![record]).await.unwrap();

        // The clock is ahead for one sweep.
        index.sweep(end);

        assert!(!index.is_live(&token, now));
        assert_eq!(life.ended(), Some(End::Unknown));
        let cut = body.frame().await.unwrap();
        assert!(matches!(cut, Err(BodyError::End(End::Unknown))));
    }
}
