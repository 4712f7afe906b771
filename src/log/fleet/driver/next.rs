//! What happens next?

use std::{
    future::Future as _,
    task::{Context, Poll},
};

use tokio::time::Instant;

use super::{
    super::{
        core::Event,
        engine::Engine,
        requests::{hint, ready},
    },
    Command, Driver, SWEEP_PERIOD,
};

/// What happens next in a driver.
pub(super) enum Next {
    Command(Command),
    Event(Event),
    SweepIsDue,
    /// There is no handle, no caller that waits and no reader left.
    End,
}

impl<E: Engine> Driver<E> {
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let requests = &mut self.requests;
        if let Some(result) = ready(&mut requests.append, cx) {
            return Poll::Ready(Next::Event(Event::Committed(result)));
        }
        if let Some(result) = ready(&mut requests.poll, cx) {
            return Poll::Ready(Next::Event(Event::Polled(result)));
        }
        if let Some(result) = ready(&mut requests.begin, cx) {
            return Poll::Ready(Next::Event(Event::Begun(result)));
        }
        if let Some(recalled) = ready(&mut requests.recall, cx) {
            return Poll::Ready(Next::Event(Event::Recalled(recalled)));
        }
        if let (Poll::Ready(()), Some(kept)) = (requests.doubt.as_mut().poll(cx), &self.kept) {
            requests.doubt = kept.doubt();
            return Poll::Ready(Next::Event(Event::Doubt));
        }
        let _ = ready(&mut requests.sweep, cx);
        if requests.next_sweep.as_mut().poll(cx).is_ready() {
            let next = Instant::now() + SWEEP_PERIOD;
            requests.next_sweep.as_mut().reset(next);
            return Poll::Ready(Next::SweepIsDue);
        }
        if requests.hint.as_mut().poll(cx).is_ready() {
            requests.hint = hint(&self.engine);
            return Poll::Ready(Next::Event(Event::Hint));
        }
        if let (Poll::Ready(()), Some(those)) = (requests.grown.as_mut().poll(cx), &self.downstream)
        {
            requests.grown = those.grown();
            return Poll::Ready(Next::Event(Event::Report));
        }
        if requests.timer.as_mut().poll(cx).is_ready() {
            // The core sets the next time. Without one, there is nothing to wait for.
            let far = Instant::now() + SWEEP_PERIOD;
            requests.timer.as_mut().reset(far);
            return Poll::Ready(Next::Event(Event::Timer));
        }
        match self.commands.poll_recv(cx) {
            Poll::Ready(Some(command)) => Poll::Ready(Next::Command(command)),
            Poll::Ready(None) if self.callers.is_empty() && !self.node.readers().any() => {
                Poll::Ready(Next::End)
            }
            // Callers wait for an answer, and readers follow. Each answer and each timer comes by
            // here again.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
