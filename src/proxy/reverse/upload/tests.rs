use std::{cell::RefCell, convert::Infallible, future::pending};

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{Request, rt::Executor as _};
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    task::yield_now,
};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};

use super::*;
use crate::{
    enforce::{EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
    token::Secret,
};

type Parts = StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

/// The token of a request, and the log that can end it.
struct Token {
    log: MemoryLog,
    index: Index,
    life: TokenLife,
}

impl Token {
    async fn new() -> Self {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let introspect = service_fn(async |_: Secret| {
            let mut token = Introspection::new(TokenKind::AccessToken, "c");
            token.iat = Some(NumericDate::new(1));
            token.grant = Some("g".into());
            Ok::<_, BoxError>(Some(token))
        });
        // The handler has the life.
        let handler = service_fn(async |request: Request<()>| {
            let life = request.extensions().get::<TokenLife>().cloned();
            let mut response = Response::new(Full::<Bytes>::default());
            response.extensions_mut().insert(life.unwrap());
            Ok::<_, Infallible>(response)
        });
        let layer = EnforcementLayer::new(introspect, index.clone());
        let request = Request::get("/").header("authorization", "Bearer t");
        let response = layer.layer(handler).oneshot(request.body(()).unwrap());
        let response = response.await.unwrap();
        let life = response.extensions().get().cloned().unwrap();
        Self { log, index, life }
    }

    async fn revoke(&self) {
        let record = Revocation::forever(Selector::grant("g"), NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
    }

    /// An upload whose frames all wait in memory.
    fn upload(&self, frames: usize) -> (Upload<Parts>, Progress) {
        let frames: Vec<_> = (0..frames)
            .map(|_| Ok(Frame::data(Bytes::from("x"))))
            .collect();
        let body = StreamBody::new(stream::iter(frames));
        let (upload, progress) = Upload::new(body, Some(&self.life));
        (upload, progress.unwrap())
    }
}

#[tokio::test]
async fn frame_that_waited_in_memory_is_not_sent_after_the_end_of_the_token() {
    let token = Token::new().await;
    let (mut upload, progress) = token.upload(5);
    assert!(upload.frame().await.unwrap().is_ok());
    token.revoke().await;
    let error = upload.frame().await.unwrap().unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(End::Revoked(_))));
    assert_eq!(progress.refusal().unwrap().status(), 401);
}

#[tokio::test]
async fn short_upload_is_not_watched_and_a_long_one_is() {
    let token = Token::new().await;
    let before = token.index.watched();
    let (mut upload, _) = token.upload(20);
    for _ in 1..SHORT {
        upload.frame().await.unwrap().unwrap();
    }
    assert_eq!(token.index.watched(), before);
    upload.frame().await.unwrap().unwrap();
    assert_eq!(token.index.watched(), before + 1);
}

#[tokio::test]
async fn task_that_is_spawned_after_an_upload_does_not_end_with_its_token() {
    for is_over in [false, true] {
        let token = Token::new().await;
        let (mut upload, _) = token.upload(5);
        let (held, mut is_held) = oneshot::channel::<()>();
        let spawned = tasks::BEGUN.scope(RefCell::default(), async {
            upload.frame().await.unwrap().unwrap();
            let _upload = (!is_over).then_some(upload);
            tasks::Tasks.execute(async move {
                pending::<()>().await;
                drop(held);
            });
        });
        spawned.await;
        token.revoke().await;
        for _ in 0..10 {
            yield_now().await;
        }
        let expected = if is_over {
            TryRecvError::Empty
        } else {
            TryRecvError::Closed
        };
        assert_eq!(is_held.try_recv(), Err(expected), "{is_over}");
    }
}
