//! The process that is killed: both layers over a log in one file. It reads commands from stdin.
//!
//! | command | output |
//! |---|---|
//! | `ask TOKEN` | `asked TOKEN STATUS READY READY`: whether the index was ready before and after |
//! | `revoke TOKEN` | `revoked TOKEN STATUS` |
//! | `sweep` | `sweeping` and `swept RECORDS`, repeated |

use std::{
    future::{Ready, ready},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{executor::block_on, future::BoxFuture};
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Bytes},
    header,
};
use tower::{BoxError, Layer as _, Service, ServiceExt as _, service_fn, util::ServiceFn};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest, Secret,
    client::Credentials,
    enforce::{EnforcementLayer, Index},
    introspect::Introspection,
    log::{EmbeddedLog, LogError},
    revoke::{Cascade, RecordRevocation},
};

use super::token::{CLIENT, Token};

type Introspected = Result<Option<Introspection>, BoxError>;
type Introspect = ServiceFn<fn(Secret) -> Ready<Introspected>>;

/// The log, once it is open. The process serves requests before that; they get 503.
type Opened = Arc<OnceLock<EmbeddedLog>>;

/// Serves until stdin ends.
pub(crate) fn run(file: &Path) {
    let (index, opened) = (Index::new(), Opened::default());
    let service = service(index.clone(), opened.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("starting threads");

    let log = opened.clone();
    let (file, following) = (file.to_owned(), index.clone());
    std::thread::spawn(move || {
        if let Err(error) = load(&file, &opened, &following) {
            eprintln!("{error:?}");
            std::process::exit(1);
        }
    });

    // Ends an incomplete line of the test harness.
    say(format_args!(""));
    let readiness = index.readiness();
    for line in io::stdin().lines() {
        let line = line.expect("UTF-8");
        match line.split_once(' ') {
            Some(("ask", token)) => {
                let before = readiness.is_ready();
                let status = block_on(call(service.clone(), ask(token)));
                say(format_args!(
                    "asked {token} {status} {before} {}",
                    readiness.is_ready()
                ));
            }
            Some(("revoke", token)) => {
                let (token, revoked) = (token.to_owned(), call(service.clone(), revoke(token)));
                runtime.spawn(async move {
                    let status = revoked.await;
                    say(format_args!("revoked {token} {status}"));
                });
            }
            _ => {
                let log = log
                    .get()
                    .expect("the test sweeps when the index is ready")
                    .clone();
                std::thread::spawn(move || sweep(&log));
            }
        }
    }
}

/// The file is intact after every kill.
fn load(file: &Path, opened: &Opened, index: &Index) -> Result<(), LogError> {
    let log = EmbeddedLog::open(file)?;
    opened.get_or_init(|| log.clone());
    block_on(index.load(&log))
}

fn service(
    index: Index,
    opened: Opened,
) -> impl Service<Request<Full<Bytes>>, Response = Response<impl Body>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ 'static {
    let introspect: Introspect = service_fn(|token| {
        let token = Token::parse(token.expose());
        ready(Ok(token.map(Token::introspect)))
    });
    let authenticator = service_fn(|request: Request<Credentials>| {
        let client_id = request.body().claimed_client_id();
        let client_id = client_id.filter(|id| id == CLIENT).map(String::from);
        ready(Ok::<_, BoxError>(client_id))
    });
    let backend = service_fn(move |request: RevocationRequest<String>| {
        let log = opened.get().cloned();
        let revoked: BoxFuture<'static, Result<Outcome, BoxError>> = match log {
            Some(log) => {
                let record = RecordRevocation::new(introspect, log)
                    .responsible_for_all_tokens(true)
                    .refresh_token_cascade(Cascade::SubjectAndClient)
                    .leeway(Duration::ZERO);
                Box::pin(record.oneshot(request))
            }
            None => Box::pin(ready(Err("the log is not open yet".into()))),
        };
        revoked
    });
    let api =
        service_fn(|_: Request<_>| ready(Ok::<_, BoxError>(Response::new(Full::from("hello")))));
    let guarded = EnforcementLayer::new(introspect, index).layer(api);
    RevocationLayer::new("/oauth2/revoke", authenticator, backend).layer(guarded)
}

async fn call<S, B>(service: S, request: Request<Full<Bytes>>) -> u16
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = BoxError>,
{
    let answered = service.oneshot(request).await;
    answered
        .as_ref()
        .map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status)
        .as_u16()
}

fn ask(token: &str) -> Request<Full<Bytes>> {
    let request = Request::get("/api/me").header(header::AUTHORIZATION, format!("Bearer {token}"));
    request
        .body(Full::default())
        .expect("a token is a valid header value")
}

fn revoke(token: &str) -> Request<Full<Bytes>> {
    let form = format!("token={token}&client_id={CLIENT}");
    Request::post("/oauth2/revoke")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(form))
        .expect("a valid request")
}

fn sweep(log: &EmbeddedLog) {
    loop {
        say(format_args!("sweeping"));
        let swept = block_on(log.sweep()).expect("the disk works");
        say(format_args!("swept {swept}"));
    }
}

/// Prints a line at once. If the reader has gone, ends the process.
fn say(line: std::fmt::Arguments<'_>) {
    if writeln!(io::stdout(), "{line}").is_err() {
        std::process::exit(1);
    }
}
