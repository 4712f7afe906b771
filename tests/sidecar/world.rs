//! An issuer, an API, and a folder for the sidecar in front of it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Collected, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    server::conn::http1,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Notify};
use tower::{Service, ServiceExt, service_fn};
use tower_revocation::test_util::TestIssuer;

use super::process::{Sidecar, write};

/// The client of the registry.
pub(crate) const SHOP: (&str, &str) = ("shop", "gX1fBat3bV");
pub(crate) const OTHER: (&str, &str) = ("other", "s3cr3t-two");

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What stands around a sidecar.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) issuer: TestIssuer,
    pub(crate) upstream: String,
    /// The revocation endpoint of the authorization server.
    pub(crate) authority: Authority,
}

/// The revocation endpoint of an authorization server. It says 200 to everybody.
#[derive(Clone)]
pub(crate) struct Authority {
    pub(crate) url: String,
    pub(crate) status: Arc<Mutex<StatusCode>>,
    /// Told just before a response.
    pub(crate) asked: Arc<Notify>,
    /// The bodies of the requests.
    pub(crate) bodies: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (listener, base) = bind().await;
        let issuer = TestIssuer::new(base);
        publish(listener, &issuer);
        let (listener, upstream) = bind().await;
        serve(
            listener,
            service_fn(async |request: Request<Incoming>| Ok(api(&request))),
        );
        let (listener, url) = bind().await;
        let authority = Authority {
            url: format!("{url}/revoke"),
            status: Arc::new(Mutex::new(StatusCode::OK)),
            asked: Arc::default(),
            bodies: Arc::default(),
        };
        let asked = authority.clone();
        serve(
            listener,
            service_fn(move |request: Request<Incoming>| asked.clone().respond(request)),
        );
        let folder = tempfile::tempdir().unwrap();
        let world = Self {
            folder,
            issuer,
            upstream,
            authority,
        };
        world.register(
            &[SHOP, OTHER].map(
                |(id, secret)| serde_json::json!({ "client_id": id, "client_secret": secret }),
            ),
        );
        world
    }

    /// Replaces the clients of the registry. Each is on a line of its own.
    pub(crate) fn register(&self, clients: &[Value]) -> String {
        let lines: Vec<_> = clients.iter().map(Value::to_string).collect();
        self.write("clients.json", &format!("[\n{}\n]", lines.join(",\n")))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        path.to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        write(&path, text);
        path
    }

    /// A configuration with a gateway, and these sections after it.
    pub(crate) fn config(&self, sections: &str) -> String {
        let log = format!("path = {:?}", self.path("log.redb"));
        self.config_with(&log, sections)
    }

    pub(crate) fn config_with(&self, log: &str, sections: &str) -> String {
        format!(
            r#"
[run]
shutdown_delay = "0s"
shutdown_timeout = "1s"
reload_every = "50ms"
[log]
{log}
longest_lifetime = "1h"
[[issuer]]
url = "{}"
audience = "{}"
[admin]
socket = {:?}
listen = "127.0.0.1:0"
[gateway]
listen = "127.0.0.1:0"
upstream = "{}"
identity_headers = {{ subject = "x-token-subject" }}
{sections}"#,
            self.issuer.issuer(),
            TestIssuer::AUDIENCE,
            self.path("admin.sock"),
            self.upstream,
        )
    }

    /// The endpoint, with the registry of this world.
    pub(crate) fn terminate(&self) -> String {
        let clients = self.path("clients.json");
        format!("[revoke]\nmode = \"terminate\"\nclients = {clients:?}\n")
    }

    /// The endpoint, in front of the authority of this world.
    pub(crate) fn forward(&self) -> String {
        let url = &self.authority.url;
        format!("[revoke]\nmode = \"forward\"\nupstream = {url:?}\n")
    }

    /// Starts a sidecar with a gateway and these sections.
    pub(crate) fn start(&self, sections: &str) -> Sidecar {
        let config = self.write("config.toml", &self.config(sections));
        Sidecar::start(&config)
    }

    /// A token of `alice` at the shop.
    pub(crate) fn token(&self) -> String {
        self.issuer.token().client(SHOP.0).subject("alice").sign()
    }
}

impl Authority {
    async fn respond(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let body = request.into_body().collect().await;
        let body = body.map(Collected::to_bytes).unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        self.bodies.lock().unwrap().push(body);
        let mut response = Response::new(erase(Full::default()));
        *response.status_mut() = *self.status.lock().unwrap();
        self.asked.notify_one();
        Ok(response)
    }
}

/// Greets the subject. `/events` goes on, `/slow` takes some time.
fn api(request: &Request<Incoming>) -> Response<Body> {
    let field = |name| request.headers().get(name).map(|it| it.to_str().unwrap());
    let subject = field("x-token-subject").unwrap_or("nobody");
    let body = match request.uri().path() {
        "/events" => {
            let ticks = futures::stream::unfold(0, async |number| {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let event = Bytes::from(format!("data: {number}\n\n"));
                Some((Ok(Frame::data(event)), number + 1))
            });
            StreamBody::new(ticks.boxed()).boxed_unsync()
        }
        "/slow" => {
            let later = futures::stream::once(async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Ok(Frame::data(Bytes::from("whole")))
            });
            StreamBody::new(later.boxed()).boxed_unsync()
        }
        "/cookie" => erase(Full::from(field("cookie").unwrap_or("none").to_owned())),
        "/authorization" => erase(Full::from(
            field("authorization").unwrap_or_default().to_owned(),
        )),
        path => {
            let trace = field("traceparent").unwrap_or_default();
            erase(Full::from(format!("{path} {subject} {trace}")))
        }
    };
    Response::new(body)
}

fn erase(body: Full<Bytes>) -> Body {
    body.boxed_unsync()
}

/// A free port, and its base URL.
pub(crate) async fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

/// Serves the keys of an issuer.
pub(crate) fn publish(listener: TcpListener, issuer: &TestIssuer) {
    let documents =
        ServiceExt::<Request<Incoming>>::map_response(issuer.server(), |response: Response<_>| {
            response.map(erase)
        });
    serve(listener, documents);
}

/// Serves until the test ends.
pub(crate) fn serve<S>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(served);
        }
    });
}
