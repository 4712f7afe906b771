//! Ten thousand idle streams.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use allocation_counter::measure;
use bytes::Bytes;
use futures::{FutureExt as _, executor::block_on};
use hyper::{
    Request, Response,
    body::{Body, Frame},
    header,
};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_revocation::enforce::{EnforcedBody, EnforcementService};

use crate::streams::fixture::{Guarded, Introspect};

const STREAMS: usize = 10_000;

/// The bytes that the layer holds for a stream. The docs of `EnforcedBody` state them too.
const EACH: u64 = 512;

/// Waits for an event that does not come.
struct Silence;

impl Body for Silence {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

async fn events(_: Request<()>) -> Result<Response<Silence>, Infallible> {
    Ok(Response::new(Silence))
}

/// A task that counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    /// The number since the last call.
    fn wakes(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

type Stream = EnforcedBody<Silence>;

fn is_cut(stream: &mut Stream, task: &Arc<Task>) -> bool {
    let waker = Waker::from(task.clone());
    let mut cx = Context::from_waker(&waker);
    match Pin::new(stream).poll_frame(&mut cx) {
        Poll::Pending => false,
        Poll::Ready(Some(Err(_))) => true,
        Poll::Ready(_) => panic!("the stream has no frames"),
    }
}

/// The stream of `token`.
fn open<S>(service: &EnforcementService<S, Introspect>, token: usize) -> Stream
where
    S: tower::Service<Request<()>, Response = Response<Silence>, Error = Infallible> + Clone,
{
    let request = Request::get("/events")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(())
        .unwrap();
    let response = service.clone().oneshot(request).now_or_never();
    let response = response.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

#[test]
fn idle_streams_take_little_memory_and_are_woken_once() {
    let guarded = block_on(Guarded::new());
    let service = guarded.layer.layer(service_fn(events));
    let tasks: Vec<Arc<Task>> = (0..STREAMS).map(|_| Arc::default()).collect();

    let mut streams = Vec::new();
    let memory = measure(|| {
        streams.reserve_exact(STREAMS);
        for (token, task) in tasks.iter().enumerate() {
            let mut stream = open(&service, token);
            assert!(!is_cut(&mut stream, task));
            streams.push(stream);
        }
    });
    let each = u64::try_from(memory.bytes_current).unwrap() / STREAMS as u64;
    assert!(each <= EACH, "{each} bytes for each stream");
    assert_eq!(guarded.index.watched(), STREAMS);

    // A record of one stream.
    block_on(guarded.revoke("7"));
    for (token, task) in tasks.iter().enumerate() {
        assert_eq!(task.wakes(), usize::from(token == 7), "{token}");
    }
    assert!(is_cut(&mut streams[7], &tasks[7]));

    // Dropped streams are not woken.
    streams.truncate(STREAMS / 2);
    assert_eq!(guarded.index.watched(), STREAMS / 2 - 1);

    // A record of the client of all streams.
    block_on(guarded.revoke_all());
    for (token, task) in tasks.iter().enumerate() {
        let waits = token != 7 && token < STREAMS / 2;
        assert_eq!(task.wakes(), usize::from(waits), "{token}");
    }
    for (token, (stream, task)) in streams.iter_mut().zip(&tasks).enumerate() {
        assert!(token == 7 || is_cut(stream, task), "{token}");
    }
    drop(streams);
    assert_eq!(guarded.index.watched(), 0);
}
