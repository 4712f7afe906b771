//! The gauges of an index.
//!
//! The clock's thread sets the gauges, so the recorder is global and this test needs its own
//! process.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::ready,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{FutureExt as _, executor::block_on, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{Request, Response, body::Frame, header};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
};

#[path = "../fixture/recorder.rs"]
mod recorder;

use recorder::{Recorder, Value};

fn gauges(recorder: &Recorder) -> BTreeMap<String, f64> {
    let snapshot = recorder.take().into_iter();
    let gauges = snapshot.filter_map(|(key, value)| match value {
        Value::Gauge(value) => Some((key.name().to_owned(), value)),
        _ => None,
    });
    gauges.collect()
}

#[test]
fn size_age_and_freshness_of_an_index_are_gauges() {
    let recorder = Recorder::new();
    metrics::set_global_recorder(recorder.clone()).unwrap();

    let log = MemoryLog::new();
    let index = block_on(Index::follow(&log)).unwrap();
    let record = |name| Revocation::forever(Selector::grant(name), NumericDate::FOREVER);
    let begun = Instant::now();
    block_on(log.append(vec![record("g1"), record("g2")])).unwrap();

    let gauges = loop {
        let gauges = gauges(&recorder);
        let said = gauges.contains_key("tower_revocation_index_applied_age_seconds");
        if said && gauges.get("tower_revocation_index_records") == Some(&2.0) {
            break gauges;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{gauges:?}");
        std::thread::yield_now();
    };
    assert_eq!(gauges["tower_revocation_watched_streams"].to_bits(), 0);
    // Only this process appends to the log.
    assert_eq!(
        gauges["tower_revocation_index_freshness_seconds"].to_bits(),
        0
    );
    let age = gauges["tower_revocation_index_applied_age_seconds"];
    assert!(
        (0.0..=begun.elapsed().as_secs_f64() + 1.0).contains(&age),
        "{age}"
    );
    drop(index);

    // Each of these layers has an index of its own.
    let streams = [open_stream(), open_stream()];
    wait_for_watched(&recorder, 2.0);
    drop(streams);
    let _stream = open_stream();
    wait_for_watched(&recorder, 1.0);
}

fn wait_for_watched(recorder: &Recorder, expected: f64) {
    let begun = Instant::now();
    loop {
        // Every index ticks in the meantime. Reading a gauge resets it.
        std::thread::sleep(Duration::from_secs(1));
        let watched = gauges(recorder)["tower_revocation_watched_streams"];
        if watched.to_bits() == expected.to_bits() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{watched}");
    }
}

/// A layer without a log, and the body of a response that waits for more.
fn open_stream() -> impl Sized {
    let introspect = service_fn(|_: Secret| {
        let token = Introspection::new(TokenKind::AccessToken, "c1");
        ready(Ok::<_, BoxError>(Some(token)))
    });
    let api = service_fn(|_: Request<()>| {
        let silence = stream::pending::<Result<Frame<Bytes>, Infallible>>();
        ready(Ok::<_, BoxError>(Response::new(StreamBody::new(silence))))
    });
    let service = EnforcementLayer::by_introspection(introspect).layer(api);
    let request = Request::get("/").header(header::AUTHORIZATION, "Bearer t");
    let response = service.clone().oneshot(request.body(()).unwrap());
    let mut body = block_on(response).unwrap().into_body();
    assert!(body.frame().now_or_never().is_none());
    (service, body)
}
