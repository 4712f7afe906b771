//! The events and the series of requests on the path, and what they never contain.

mod outcomes;
mod requests;
mod secrecy;
mod series;

use std::{
    collections::BTreeMap,
    fmt,
    future::ready,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::{Empty, Full};
use hyper::{Request, Response, header::HeaderValue};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest, client::Credentials,
};
use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};

/// An event, as a subscriber receives it.
#[derive(Clone, Debug)]
struct Recorded {
    target: String,
    level: Level,
    fields: BTreeMap<&'static str, String>,
}

impl Recorded {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Records the events of all levels.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Recorded>>>);

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Fields(BTreeMap<&'static str, String>);

        impl tracing::field::Visit for Fields {
            fn record_str(&mut self, field: &Field, value: &str) {
                self.0.insert(field.name(), value.to_owned());
            }

            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0.insert(field.name(), format!("{value:?}"));
            }
        }

        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(Recorded {
            target: event.metadata().target().to_owned(),
            level: *event.metadata().level(),
            fields: fields.0,
        });
    }
}

/// The events while `act` runs on this thread.
fn events(act: impl FnOnce()) -> Vec<Recorded> {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    tracing::subscriber::with_default(subscriber, act);
    let events = capture.0.lock().unwrap();
    events.clone()
}

/// The only event while `act` runs.
fn only_event(act: impl FnOnce()) -> Recorded {
    let mut events = events(act);
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

async fn authenticate(request: Request<Credentials>) -> Result<Option<String>, BoxError> {
    let id = request.body().claimed_client_id().unwrap_or_default();
    Ok(match &*id {
        "stranger" => None,
        "limited" => {
            let error = Error::new(ErrorKind::TooManyRequests);
            return Err(error.caused_by("3 in a row").into());
        }
        _ => Some(id.into_owned()),
    })
}

fn revoke(request: &RevocationRequest<String>) -> Result<Outcome, BoxError> {
    match request.token.expose() {
        "live-t0ken" => Ok(Outcome::Revoked),
        "foreign-t0ken" => Ok(Outcome::IssuedToAnother),
        "stuck-t0ken" => Ok(Outcome::Unsupported),
        "failing-t0ken" => Err("the disk is full".into()),
        "poison-t0ken" => panic!("deliberate"),
        _ => Ok(Outcome::NotFound),
    }
}

fn layer() -> RevocationLayer<
    impl Service<Request<Credentials>, Response = Option<String>, Error = BoxError> + Clone,
    impl Service<RevocationRequest<String>, Response = Outcome, Error = BoxError> + Clone,
> {
    let backend = service_fn(|request| ready(revoke(&request)));
    RevocationLayer::new("/revoke", service_fn(authenticate), backend)
}

async fn inner(_: Request<Full<Bytes>>) -> Result<Response<Empty<Bytes>>, BoxError> {
    Ok(Response::new(Empty::new()))
}

fn post(form: &str) -> Request<Full<Bytes>> {
    Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(form.to_owned()))
        .unwrap()
}

fn with(
    mut request: Request<Full<Bytes>>,
    fields: &[(&'static str, &'static str)],
) -> Request<Full<Bytes>> {
    for &(name, value) in fields {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    request
}

fn send(request: Request<Full<Bytes>>) {
    block_on(layer().layer(service_fn(inner)).oneshot(request)).unwrap();
}

/// `outcome`, `error`, `client_id`, whether there is a token, and the level.
type Expected = (
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    bool,
    Level,
);
