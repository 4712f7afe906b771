//! What a driver waits for.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::time::{Sleep, timeout};

use super::{
    super::{LogError, LogErrorKind},
    engine::{Committed, Engine, Page},
    kept::Recalled,
};

/// What is in flight.
pub(super) struct Requests {
    pub(super) poll: Option<BoxFuture<'static, Result<Page, LogError>>>,
    pub(super) begin: Option<BoxFuture<'static, Result<(), LogError>>>,
    pub(super) append: Option<BoxFuture<'static, Result<Committed, LogError>>>,
    pub(super) sweep: Option<BoxFuture<'static, ()>>,
    pub(super) recall: Option<BoxFuture<'static, Option<Recalled>>>,
    /// The copy on the disk may have records that neither the node nor the log has.
    pub(super) doubt: BoxFuture<'static, ()>,
    pub(super) hint: BoxFuture<'static, ()>,
    /// Those that follow this node have more than it has reported.
    pub(super) grown: BoxFuture<'static, ()>,
    pub(super) timer: Pin<Box<Sleep>>,
    pub(super) next_sweep: Pin<Box<Sleep>>,
}

/// Returns the result of a request that has ended, and forgets the request.
pub(super) fn ready<T>(
    request: &mut Option<BoxFuture<'static, T>>,
    cx: &mut Context<'_>,
) -> Option<T> {
    let Poll::Ready(result) = request.as_mut()?.as_mut().poll(cx) else {
        return None;
    };
    *request = None;
    Some(result)
}

pub(super) fn hint<E: Engine>(engine: &Arc<E>) -> BoxFuture<'static, ()> {
    let engine = engine.clone();
    Box::pin(async move { engine.hint().await })
}

pub(super) async fn within<T>(
    patience: Duration,
    request: impl Future<Output = Result<T, LogError>>,
) -> Result<T, LogError> {
    timeout(patience, request).await.unwrap_or_else(|_| {
        let error = LogError::new(LogErrorKind::Unavailable);
        Err(error.caused_by("the server of the log did not answer in time"))
    })
}
