//! The series of the endpoint.

use std::collections::BTreeMap;

use tower::{Layer as _, Service, service_fn};

use super::requests::kinds;
use super::{inner, layer, post, send};
use crate::recorder::{Recorder, Value};

#[test]
fn requests_on_the_path_are_counted_and_timed() {
    let recorder = Recorder::new();
    metrics::with_local_recorder(&recorder, || {
        for (request, _) in kinds() {
            send(request);
        }
        let mut passing = post("");
        *passing.uri_mut() = "/".parse().unwrap();
        send(passing);
        drop(layer().layer(service_fn(inner)).call(post("")));
    });

    let mut expected = BTreeMap::<_, u64>::new();
    let expected_outcomes = kinds().into_iter().map(|(_, event)| (event.0, event.1));
    for (outcome, error) in expected_outcomes.chain([("cancelled", None)]) {
        *expected
            .entry((outcome.to_owned(), error.unwrap_or("none").to_owned()))
            .or_default() += 1;
    }
    let (mut counted, mut timed) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    for (key, value) in recorder.take() {
        let labels: BTreeMap<_, _> = key
            .labels()
            .map(|label| (label.key(), label.value()))
            .collect();
        let outcome = labels["outcome"].to_owned();
        match (key.name(), value) {
            ("tower_revocation_requests_total", Value::Counter(count)) => {
                assert_eq!(labels.len(), 3);
                // Only a failed client authentication has a reason.
                let refused = labels["error"] == "invalid_client";
                assert_eq!(labels["reason"] != "none", refused);
                *counted
                    .entry((outcome, labels["error"].to_owned()))
                    .or_default() += count;
            }
            ("tower_revocation_request_duration_seconds", Value::Histogram(durations)) => {
                assert_eq!(labels.len(), 1);
                assert!(
                    durations
                        .iter()
                        .all(|seconds| (0.0..60.0).contains(seconds))
                );
                timed.insert(outcome, durations.len() as u64);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counted, expected);
    let mut by_outcome = BTreeMap::new();
    for ((outcome, _), count) in expected {
        *by_outcome.entry(outcome).or_default() += count;
    }
    assert_eq!(timed, by_outcome);
}
