//! Metrics about fetched keys.

use std::{collections::BTreeMap, time::Duration};

use axum::{Router, http::StatusCode, routing::get};
use tower::ServiceExt as _;
use tower_revocation::{
    Secret,
    introspect::jwt::{Audience, JwtTokens},
    jose::{Keys, RemoteKeys},
};

use crate::jwt::fixture::{AUDIENCE, ISSUER, KEY, now, token};
use crate::recorder::{Recorder, Value};

type Seen = BTreeMap<String, f64>;

/// The values of counters and gauges by name and labels, and the number of values in histograms.
fn seen(happens: impl Future<Output = ()>) -> Seen {
    let recorder = Recorder::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(happens));
    let series = recorder.take().into_iter();
    let series = series.map(|(key, value)| {
        let labels = key.labels().map(|label| format!(" {}", label.value()));
        let value = match value {
            Value::Counter(count) => f64::from(u32::try_from(count).unwrap()),
            Value::Histogram(values) => f64::from(u32::try_from(values.len()).unwrap()),
            Value::Gauge(value) => value,
        };
        (
            format!("{}{}", key.name(), labels.collect::<String>()),
            value,
        )
    });
    series.collect()
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

async fn is_known(uri: &str) -> bool {
    let tokens = JwtTokens::new(
        ISSUER,
        Keys::from_uri(uri).unwrap(),
        Audience::any_of([AUDIENCE]),
    );
    let token = Secret::new(token(&serde_json::json!({})));
    tokens
        .oneshot(token)
        .await
        .is_ok_and(|it| it.token().is_some())
}

#[test]
fn fetches_and_the_age_of_keys_are_labelled_with_the_uri_of_the_operator() {
    let begun = now();
    let mut origin = String::new();
    let seen = seen(async {
        let router = Router::new()
            .route("/keys", get(async || KEY.jwks("k1").to_string()))
            .route("/down", get(async || StatusCode::BAD_GATEWAY))
            .route("/odd", get(async || "no JWKS"));
        origin = serve(router).await;
        // The query of a URI may be a secret.
        assert!(is_known(&format!("{origin}/keys?secret=s3cr3t")).await);
        assert!(!is_known(&format!("{origin}/down")).await);
        assert!(!is_known(&format!("{origin}/odd")).await);
    });
    let of = |name: &str| seen.get(&name.replace('@', &origin)).copied();
    let one = Some(1.0);
    let fetches = "tower_revocation_key_fetches_total";
    assert_eq!(of(&format!("{fetches} @/keys fetched")), one);
    assert_eq!(of(&format!("{fetches} @/down unavailable")), one);
    assert_eq!(of(&format!("{fetches} @/odd unusable")), one);
    assert_eq!(
        of("tower_revocation_key_fetch_duration_seconds fetched"),
        one
    );
    let timestamp = "tower_revocation_keys_fetched_timestamp_seconds";
    let date = of(&format!("{timestamp} @/keys")).unwrap();
    let date = Duration::from_secs_f64(date).as_secs();
    assert!((begun..=now()).contains(&date), "{date}");
    assert_eq!(of(&format!("{timestamp} @/down")), None);
    assert!(!format!("{seen:?}").contains("s3cr3t"));
}

/// The number of URIs that clients register is unbounded.
#[test]
fn uris_of_clients_are_not_labels() {
    let seen = seen(async {
        let origin = serve(Router::new().route("/keys", get(async || KEY.jwks("k1").to_string())));
        let origin = origin.await;
        let keys = RemoteKeys::builder().allow_private_addresses(true).build();
        for client in 0..20 {
            let uri = format!("{origin}/keys?client={client}");
            keys.keys(&uri, None).await.unwrap();
        }
    });
    let counters: Vec<_> = seen
        .iter()
        .filter(|(name, _)| name.contains("_keys_") || name.contains("fetches"))
        .collect();
    assert_eq!(
        counters,
        [(
            &"tower_revocation_key_fetches_total clients fetched".to_owned(),
            &20.0
        )]
    );
}
