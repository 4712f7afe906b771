//! What operators are served: health, series and orders.

use std::{
    convert::Infallible,
    net::IpAddr,
    path::PathBuf,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, HOST, HeaderValue},
    http::uri::Authority,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Deserialize;
use serde_json::json;
use tower::{Service, util::Either};
use tower_revocation::admin::AdminPages;

use crate::{
    failure::causes,
    health::Health,
    orders::{Orders, Service as OrderService},
    respond::{AnyBody, any, starting, text},
    store::{Store, folder},
};

/// How operators come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// By the socket that only the user of this process can open.
    Socket,
    Tcp,
}

/// What operators are served. Clones share it.
#[derive(Clone)]
pub(crate) struct AdminEntry {
    access: Access,
    shared: Arc<Shared>,
}

struct Shared {
    health: Health,
    series: PrometheusHandle,
    /// `None` until the log is open.
    on_socket: ArcSwapOption<OrderService<Store>>,
    /// `None` also if there are no tokens.
    on_tcp: ArcSwapOption<OrderService<Store>>,
    /// `None` if the configuration has none.
    pages: ArcSwapOption<AdminPages>,
    log: ArcSwapOption<Store>,
    /// The values of `Host` over TCP, beside addresses and `localhost`.
    hosts: ArcSwap<Vec<String>>,
}

/// How long the body of a request may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The body of `/v1/backup`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupOrder {
    path: PathBuf,
}

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

impl AdminEntry {
    pub(crate) fn new(health: Health, series: PrometheusHandle) -> Self {
        Self {
            access: Access::Tcp,
            shared: Arc::new(Shared {
                health,
                series,
                on_socket: ArcSwapOption::empty(),
                on_tcp: ArcSwapOption::empty(),
                pages: ArcSwapOption::empty(),
                log: ArcSwapOption::empty(),
                hosts: ArcSwap::default(),
            }),
        }
    }

    /// The same for those who come in by another way.
    pub(crate) fn over(&self, access: Access) -> Self {
        Self {
            access,
            shared: self.shared.clone(),
        }
    }

    /// From now on, these are names of the listener.
    pub(crate) fn name(&self, hosts: &[String]) {
        self.shared.hosts.store(Arc::new(hosts.to_owned()));
    }

    /// Whether a request names this listener. A page whose name resolves to it does not: it could read
    /// what it is served. Probes and scrapers use addresses.
    fn is_named<B>(&self, request: &Request<B>) -> bool {
        if self.access == Access::Socket {
            return true;
        }
        let field = request.headers().get(HOST);
        let authority = match field {
            Some(field) => Authority::try_from(field.as_bytes()).ok(),
            None => request.uri().authority().cloned(),
        };
        let Some(authority) = authority else {
            return false;
        };
        let host = authority.host();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_name = |name: &String| {
            let names = [authority.as_str(), host];
            names.iter().any(|it| it.eq_ignore_ascii_case(name))
        };
        address.parse::<IpAddr>().is_ok()
            || host.eq_ignore_ascii_case("localhost")
            || self.shared.hosts.load().iter().any(is_name)
    }

    /// From now on, orders are carried out by these.
    pub(crate) fn replace(&self, orders: Orders<Store>, log: Store) {
        self.shared
            .on_socket
            .store(Some(Arc::new(orders.on_socket)));
        self.shared.on_tcp.store(orders.on_tcp.map(Arc::new));
        self.shared.pages.store(orders.pages.map(Arc::new));
        self.shared.log.store(Some(Arc::new(log)));
    }

    async fn respond(self, request: Request<Incoming>) -> Response<AnyBody> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            "/readyz" | "/metrics" if !self.is_named(&request) => problem(
                StatusCode::MISDIRECTED_REQUEST,
                "the Host is not one of this listener: add it to admin.hosts",
            ),
            "/livez" if is_read => text(StatusCode::OK, "text/plain", "alive\n"),
            "/readyz" if is_read => self.readiness(),
            "/metrics" if is_read => {
                let series = self.shared.series.render();
                text(StatusCode::OK, "text/plain; version=0.0.4", series)
            }
            "/livez" | "/readyz" | "/metrics" => method_not_allowed("GET, HEAD"),
            "/v1/backup" if self.access == Access::Socket => self.backup(request).await,
            path if path.starts_with("/v1/") => self.order(request).await,
            _ => self.page(request).await,
        }
    }

    fn readiness(&self) -> Response<AnyBody> {
        let report = self.shared.health.report();
        let status = if report.ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let json = serde_json::to_string(&report).unwrap_or_default();
        text(status, JSON, json + "\n")
    }

    /// A page, if there are any.
    async fn page(&self, request: Request<Incoming>) -> Response<AnyBody> {
        let pages = self.shared.pages.load_full();
        match pages.filter(|_| self.access == Access::Tcp) {
            Some(pages) => {
                let Ok(response) = AdminPages::clone(&pages).call(request).await;
                response.map(any)
            }
            None => self.order(request).await,
        }
    }

    async fn order(&self, request: Request<Incoming>) -> Response<AnyBody> {
        let orders = match self.access {
            Access::Socket => self.shared.on_socket.load_full(),
            Access::Tcp => self.shared.on_tcp.load_full(),
        };
        if let Some(orders) = orders {
            let Ok(response) = OrderService::clone(&orders).call(request).await;
            return response.map(any);
        }
        if self.shared.log.load().is_none() {
            return starting();
        }
        let why = "orders over TCP need admin.tokens_file";
        problem(StatusCode::NOT_FOUND, why)
    }

    /// Copies the log to a path of this machine, as the user of this process.
    async fn backup(&self, request: Request<Incoming>) -> Response<AnyBody> {
        if request.method() != Method::POST {
            return method_not_allowed("POST");
        }
        let body = Limited::new(request.into_body(), 64 * 1024).collect();
        let body = tokio::time::timeout(BODY_TIMEOUT, body).await;
        let order: Option<BackupOrder> = body
            .ok()
            .and_then(Result::ok)
            .and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
        let Some(order) = order.filter(|order| order.path.is_absolute()) else {
            let why = "expected { \"path\": \"/an/absolute/path\" }";
            return problem(StatusCode::BAD_REQUEST, why);
        };
        let Some(log) = self.shared.log.load_full() else {
            return starting();
        };
        let Either::Left(file) = &*log else {
            let why = "the log is on a server: copy it there";
            return problem(StatusCode::CONFLICT, why);
        };
        if order.path.symlink_metadata().is_ok() {
            let why = "there is a file already: choose a path without a file";
            return problem(StatusCode::CONFLICT, why);
        }
        if let Some(folder) = folder(&order.path).filter(|it| !it.is_dir()) {
            let why = format!("there is no folder {}: make it first", folder.display());
            return problem(StatusCode::CONFLICT, &why);
        }
        match file.backup(&order.path).await {
            Ok(()) => {
                let copied = json!({ "copied_to": order.path });
                text(StatusCode::CREATED, JSON, format!("{copied}\n"))
            }
            Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &causes(&error)),
        }
    }
}

/// A 405 names the methods (RFC 9110 §15.5.6).
fn method_not_allowed(allowed: &'static str) -> Response<AnyBody> {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed");
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    response
}

/// RFC 9457.
fn problem(status: StatusCode, detail: &str) -> Response<AnyBody> {
    let problem = json!({
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail,
    });
    text(status, PROBLEM, format!("{problem}\n"))
}

impl Service<Request<Incoming>> for AdminEntry {
    type Response = Response<AnyBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.respond(request).await) })
    }
}
