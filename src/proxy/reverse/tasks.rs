//! Runs the tasks of the connections to an API. Ends the uploads that cannot end themselves.
//!
//! Over HTTP/2, hyper asks a body for nothing while the API keeps the window of its stream at zero. Such
//! an upload does not notice the end of its token. hyper spawns a task for each body that it cannot send
//! at once, so this executor drops that task.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use hyper::rt::Executor;
use pin_project_lite::pin_project;

use super::upload::Progress;
use crate::enforce::{TokenEnd, TokenLife};

tokio::task_local! {
    /// The upload that this task has begun, until another task is spawned for it.
    pub(super) static BEGUN: RefCell<Option<Begun>>;
}

pub(super) struct Begun {
    life: TokenLife,
    progress: Progress,
}

/// Notes the first poll of an upload. hyper spawns the task for the rest of it right after that.
pub(super) fn begin(life: &TokenLife, progress: &Progress) {
    let begun = Begun {
        life: life.clone(),
        progress: progress.clone(),
    };
    let _ = BEGUN.try_with(|cell| cell.replace(Some(begun)));
}

/// Notes that an upload is over. The next task is not for it.
pub(super) fn end() {
    let _ = BEGUN.try_with(RefCell::take);
}

/// Spawns tasks. One that sends an upload ends with the token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks;

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let begun = BEGUN.try_with(RefCell::take).ok().flatten();
        let upload = begun.map(|begun| (begun.life.end(), begun.progress));
        tokio::spawn(BEGUN.scope(RefCell::default(), Task { task, upload }));
    }
}

pin_project! {
    struct Task<F> {
        #[pin]
        task: F,
        upload: Option<(TokenEnd, Progress)>,
    }
}

impl<F: Future<Output = ()>> Future for Task<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if this.task.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some((end, progress)) = this.upload else {
            return Poll::Pending;
        };
        // The upload goes away with the task, and the stream is reset with its last handle.
        Pin::new(end).poll(cx).map(|end| progress.cut(end))
    }
}
