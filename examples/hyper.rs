//! Both layers around a hyper service, with HTTP/1 and HTTP/2. The server spawns a task for each
//! connection and shuts down gracefully.
//!
//! ```sh
//! cargo run --example hyper
//! curl -i -H 'Authorization: Bearer 45ghiukldjahdnhzdauz' http://127.0.0.1:3000/me
//! curl -i -d token=45ghiukldjahdnhzdauz -d client_id=spa-1 http://127.0.0.1:3000/revoke
//! curl -i -H 'Authorization: Bearer 45ghiukldjahdnhzdauz' http://127.0.0.1:3000/me
//! curl -i --http2-prior-knowledge http://127.0.0.1:3000/
//! ```

use std::{
    convert::Infallible,
    env,
    pin::pin,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    RevocationLayer, Secret,
    client::Credentials,
    enforce::{EnforcementLayer, Index, Policy},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Selector},
    revoke::RecordRevocation,
};

/// The issued tokens, each with its client.
const TOKENS: [(&str, &str); 2] = [
    ("45ghiukldjahdnhzdauz", "spa-1"),
    ("2YotnFZFEjr1zCsicMWpAA", "spa-2"),
];

/// The time-out for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), BoxError> {
    // In memory: the log ends with the process. An `EmbeddedLog` keeps it in a file.
    let log = MemoryLog::new();
    let index = Index::follow(&log).await?;

    // Two public clients (RFC 7009 §5): they have a `client_id` and no secret.
    let authenticator = service_fn(async |request: Request<Credentials>| {
        Ok::<_, BoxError>(match request.into_body() {
            Credentials::ClientId { client_id } if ["spa-1", "spa-2"].contains(&&*client_id) => {
                Some(client_id)
            }
            _ => None,
        })
    });
    let issued = NumericDate::now();
    let introspect = service_fn(move |token: Secret| async move {
        Ok::<_, BoxError>(introspect_token(&token, issued))
    });

    let enforcement = EnforcementLayer::new(introspect, index)
        // The front page needs no token.
        .policy_by(|head| Policy::new().anonymous(head.uri.path() == "/"));
    let backend = RecordRevocation::new(introspect, log).responsible_for_all_tokens(true);
    let service = RevocationLayer::new("/revoke", authenticator, backend)
        // With a timer, a request whose body stalls fails.
        .timer(TokioTimer::new())
        .layer(enforcement.layer(service_fn(api)));

    let listen = env::var_os("LISTEN").unwrap_or_else(|| "127.0.0.1:3000".into());
    let listen = listen.to_string_lossy();
    let listener = TcpListener::bind(&*listen)
        .await
        .map_err(|error| format!("LISTEN={listen}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);

    let connections = GracefulShutdown::new();
    let mut stopped = pin!(tokio::signal::ctrl_c());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            signal = &mut stopped => break signal?,
        };
        let Ok((stream, _)) = accepted else {
            // Perhaps there are no file descriptors left. Other connections may free some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let has_request = Arc::new(AtomicBool::new(false));
        let received = has_request.clone();
        let service = service
            .clone()
            .map_request(move |request: Request<Incoming>| {
                received.store(true, Ordering::Relaxed);
                request
            });
        // hyper has no time-out for the first byte, nor for the preface of HTTP/2.
        let silence = async move {
            tokio::time::sleep(HEAD_TIMEOUT).await;
            if has_request.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        let watcher = connections.watcher();
        tokio::spawn(async move {
            let mut server = auto::Builder::new(TokioExecutor::new());
            server
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT);
            let service = TowerToHyperService::new(service);
            let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
            tokio::select! {
                ended = watcher.watch(connection) => if let Err(error) = ended {
                    eprintln!("the connection failed: {error}");
                },
                () = silence => {}
            }
        });
    }

    drop(listener);
    tokio::select! {
        () = connections.shutdown() => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => eprintln!("cut requests in flight"),
    }
    Ok(())
}

/// The introspection of a token, with the selector that revokes it.
fn introspect_token(token: &Secret, issued: NumericDate) -> Option<Introspection> {
    let number = TOKENS
        .iter()
        .position(|(known, _)| *known == token.expose())?;
    let mut token = Introspection::new(TokenKind::AccessToken, TOKENS[number].1);
    token.token = Some(Selector::token(
        "https://as.example.com",
        &number.to_string(),
    ));
    token.iat = Some(issued);
    Some(token)
}

/// The inner service. Its error is `Infallible`, because hyper's connections do not accept a
/// service with the error `BoxError` in a spawned task.
async fn api(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let token = request.extensions().get::<Introspection>();
    let body = token.map_or_else(
        || "the inner service\n".to_owned(),
        |token| format!("{}\n", token.client_id),
    );
    Ok(Response::new(Full::from(body)))
}
