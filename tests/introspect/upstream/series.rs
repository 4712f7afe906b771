//! Metrics about introspections at another server.

use std::{collections::BTreeMap, time::Duration};

use futures::{FutureExt as _, future::join};
use serde_json::json;

use crate::recorder::{Recorder, Value};
use crate::upstream::{
    active, ask,
    server::{Does, Server, with_status},
};

const ASKED: &str = "tower_revocation_upstream_introspections_total";
const LOOKED_UP: &str = "tower_revocation_upstream_cache_lookups_total";
const DURATION: &str = "tower_revocation_upstream_introspection_duration_seconds";
const ENTRIES: &str = "tower_revocation_upstream_cache_entries";

/// The number of counts and measurements, and the values of gauges, by series and result.
type Seen = BTreeMap<(String, String), u64>;

fn seen(happens: impl Future<Output = ()>) -> Seen {
    let recorder = Recorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(happens));
    let series = recorder.take().into_iter();
    let series = series.map(|(key, value)| {
        let labels: Vec<_> = key.labels().map(metrics::Label::value).collect();
        let value = match value {
            Value::Counter(count) => count,
            Value::Histogram(values) => values.len() as u64,
            Value::Gauge(value) => value.to_string().parse().unwrap(),
        };
        ((key.name().to_owned(), labels.join(",")), value)
    });
    series.collect()
}

fn of<const N: usize>(seen: &Seen, name: &str, expected: [(&str, u64); N]) {
    let of_name = seen.iter().filter(|((series, _), _)| series == name);
    let of_name: BTreeMap<_, _> = of_name
        .map(|((_, label), count)| (label.as_str(), *count))
        .collect();
    assert_eq!(of_name, BTreeMap::from(expected), "{name}");
}

#[test]
fn requests_and_the_cache_are_counted_by_result() {
    let seen = seen(async {
        let server = Server::json(active(json!({}))).await;
        let upstream = server.upstream();
        ask(&upstream, "t").await.unwrap();
        ask(&upstream, "t").await.unwrap();
        let (one, other) = join(ask(&upstream, "u"), ask(&upstream, "u")).await;
        assert!(one.is_ok() && other.is_ok());
        server.says(&json!({ "active": false }));
        ask(&upstream, "v").await.unwrap();
        server.says(&active(json!({ "token_type": "id_token" })));
        ask(&upstream, "w").await.unwrap();
        server.does(Does::Respond(with_status(500)));
        ask(&upstream, "x").await.unwrap_err();
        server.says(&json!({ "active": "yes" }));
        ask(&upstream, "y").await.unwrap_err();
    });
    let results = [
        ("active", 2),
        ("inactive", 1),
        ("unhandled", 1),
        ("status", 1),
        ("malformed", 1),
    ];
    of(&seen, ASKED, results);
    of(&seen, DURATION, results);
    of(&seen, LOOKED_UP, [("hit", 1), ("joined", 1), ("miss", 6)]);
    of(&seen, ENTRIES, [("", 4)]);
}

#[test]
fn abandoned_request_is_counted() {
    let seen = seen(async {
        let server = Server::json(active(json!({}))).await;
        server.hold();
        let upstream = server.upstream();
        let mut asked = Box::pin(ask(&upstream, "t"));
        assert!((&mut asked).now_or_never().is_none());
        let asking = tokio::spawn(introspect_once(upstream.clone()));
        server.has_been_asked(1).await;
        drop(asked);
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
    });
    of(&seen, ASKED, [("abandoned", 1)]);
}

async fn introspect_once(upstream: tower_revocation::introspect::upstream::Upstream) {
    let _ = ask(&upstream, "t").await;
}

#[test]
fn server_that_stalls_is_counted_as_timed_out() {
    let seen = seen(async {
        let server = Server::start(Does::Stall).await;
        let upstream = server
            .builder()
            .timeout(Duration::from_millis(1))
            .build()
            .unwrap();
        ask(&upstream, "t").await.unwrap_err();
    });
    of(&seen, ASKED, [("timed_out", 1)]);
}
