//! One event for each request, with its outcome.

use std::{
    future::pending,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::executor::block_on;
use hyper::{Request, header::HeaderValue};
use hyper_util::rt::TokioTimer;
use tokio::{runtime, time::sleep};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest,
    client::{AuthMethod, ClientAddr, Credentials, PeerAddr, limit::LimitFailuresLayer},
};
use tracing::Level;

use super::requests::kinds;
use super::{authenticate, events, inner, layer, only_event, post, send, with};

#[test]
fn each_request_on_the_path_is_one_event_with_its_outcome() {
    for (request, (outcome, error, client_id, token, level)) in kinds() {
        let about = format!("{request:?}");
        let event = only_event(|| send(request));
        assert_eq!(event.target, "tower_revocation", "{about}");
        assert_eq!(event.level, level, "{about}");
        assert_eq!(event.field("outcome"), Some(outcome), "{about}");
        assert_eq!(event.field("error"), error, "{about}");
        assert_eq!(event.field("client_id"), client_id, "{about}");
        assert_eq!(event.field("token").is_some(), token, "{about}");
        let duration: f64 = event.field("duration").unwrap().parse().unwrap();
        assert!((0.0..60.0).contains(&duration), "{about}");
        assert_eq!(event.field("cause").is_some(), error.is_some(), "{about}");
    }
}

#[test]
fn duration_is_by_the_clock_of_the_timer() {
    let backend = service_fn(async |_: RevocationRequest<String>| {
        sleep(Duration::from_secs(5)).await;
        Ok::<_, BoxError>(Outcome::Revoked)
    });
    let service = RevocationLayer::new("/revoke", service_fn(authenticate), backend)
        .timer(TokioTimer::new())
        .layer(service_fn(inner));
    let event = only_event(|| {
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let request = post("token=live-t0ken&client_id=spa-1");
        runtime.block_on(service.oneshot(request)).unwrap();
    });
    let duration: f64 = event.field("duration").unwrap().parse().unwrap();
    assert!((5.0..5.1).contains(&duration), "{duration}");
}

#[test]
fn event_contains_each_cause_once() {
    let event = only_event(|| send(post("token=failing-t0ken&client_id=spa-1")));
    let cause = event.field("cause").unwrap();
    assert_eq!(cause, "unavailable: the disk is full");
    let event = only_event(|| send(post("token=live-t0ken&client_id=limited")));
    assert_eq!(event.field("cause"), Some("too_many_requests: 3 in a row"));
}

#[test]
fn event_reports_a_foreign_token_of_a_silent_layer() {
    let service = layer()
        .silent_for_foreign_tokens(true)
        .layer(service_fn(inner));
    let request = post("token=foreign-t0ken&client_id=spa-1");
    let event = only_event(|| {
        block_on(service.oneshot(request)).unwrap();
    });
    assert_eq!(event.field("outcome"), Some("issued_to_another"));
    assert_eq!((event.field("error"), event.level), (None, Level::INFO));
}

#[test]
fn event_names_the_client_of_a_disabled_method() {
    let service = layer()
        .auth_methods([AuthMethod::ClientSecretBasic])
        .layer(service_fn(inner));
    let request = post("token=live-t0ken&client_id=spa-1");
    let event = only_event(|| {
        block_on(service.oneshot(request)).unwrap();
    });
    assert_eq!(event.field("error"), Some("invalid_client"));
    assert_eq!(event.field("client_id"), Some("\"spa-1\""));
}

#[test]
fn preflight_is_one_event() {
    let service = layer()
        .cors([HeaderValue::from_static("https://spa.example")])
        .layer(service_fn(inner));
    let mut request = with(
        post(""),
        &[
            ("origin", "https://spa.example"),
            ("access-control-request-method", "POST"),
        ],
    );
    *request.method_mut() = hyper::Method::OPTIONS;
    let event = only_event(|| {
        block_on(service.oneshot(request)).unwrap();
    });
    assert_eq!(event.field("outcome"), Some("preflight"));
}

#[test]
fn passing_request_is_no_event() {
    for path in ["/", "/revoke/", "/REVOKE", "/revoke/x"] {
        let mut request = post("token=live-t0ken&client_id=spa-1");
        *request.uri_mut() = path.parse().unwrap();
        assert!(events(|| send(request)).is_empty(), "{path}");
    }
}

#[test]
fn dropped_future_is_a_cancelled_event() {
    let backend = service_fn(async |_: RevocationRequest<String>| {
        pending::<Result<Outcome, BoxError>>().await
    });
    let mut service =
        RevocationLayer::new("/revoke", service_fn(authenticate), backend).layer(service_fn(inner));
    let request = || post("token=live-t0ken&client_id=spa-1");

    let event = only_event(|| {
        let mut response = Box::pin(service.call(request()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(response.as_mut().poll(&mut cx).is_pending());
    });
    assert_eq!(event.target, "tower_revocation");
    assert_eq!(event.field("outcome"), Some("cancelled"));
    assert_eq!(event.field("client_id"), Some("\"spa-1\""));
    assert!(event.field("token").is_some());
    assert_eq!((event.field("error"), event.level), (None, Level::INFO));

    let event = only_event(|| drop(service.call(request())));
    assert_eq!(event.field("outcome"), Some("cancelled"));
}

#[test]
fn finished_future_is_not_cancelled() {
    let mut service = layer().layer(service_fn(inner));
    let event = only_event(|| {
        let mut response = Box::pin(service.call(post("token=live-t0ken&client_id=spa-1")));
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(answer) = response.as_mut().poll(&mut cx) else {
            panic!("the future must be ready");
        };
        drop(response);
        drop(answer);
    });
    assert_eq!(event.field("outcome"), Some("revoked"));
}

#[test]
fn panic_is_an_event_at_level_error() {
    let event = only_event(|| {
        let request = post("token=poison-t0ken&client_id=spa-1");
        let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| send(request)));
        assert!(answered.is_err());
    });
    assert_eq!(event.field("outcome"), Some("panicked"));
    assert_eq!(event.level, Level::ERROR);
}

#[test]
fn limit_without_addresses_warns_once() {
    let limit = LimitFailuresLayer::new();
    let ask = |limit: &LimitFailuresLayer, request: Request<Credentials>| {
        let authenticator = limit.layer(service_fn(authenticate));
        block_on(authenticator.oneshot(request)).unwrap();
    };
    let claim = || {
        Request::new(Credentials::ClientId {
            client_id: "spa-1".to_owned(),
        })
    };
    let address = [192, 0, 2, 7];
    let warnings = events(|| {
        let mut connected = claim();
        let peer = PeerAddr((address, 4000).into());
        connected.extensions_mut().insert(peer);
        ask(&limit, connected);
        let mut reported = claim();
        reported.extensions_mut().insert(ClientAddr(address.into()));
        ask(&limit, reported);
    });
    assert!(warnings.is_empty(), "{warnings:?}");

    let warning = only_event(|| {
        for _ in 0..3 {
            ask(&limit, claim());
            ask(&limit.clone(), claim());
        }
    });
    assert_eq!(
        (&*warning.target, warning.level),
        ("tower_revocation", Level::WARN)
    );
    let message = warning.field("message").unwrap();
    assert!(message.starts_with("failures are not limited"), "{message}");
    assert!(!format!("{warning:?}").contains("spa-1"));
    // Each layer warns once.
    only_event(|| ask(&LimitFailuresLayer::new(), claim()));
}
