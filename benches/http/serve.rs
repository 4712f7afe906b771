//! The process of one server. It has one thread.

use std::{convert::Infallible, io::Read as _, process, thread, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Body, Incoming},
    server::conn::http1,
    service::{HttpService, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, runtime, time::timeout};
use tower::{BoxError, Layer as _};

use crate::{
    by_hand, cpu, handler,
    layered::{self, Inner},
    rounds,
    rules::{self, Refusal},
    server::Server,
    token,
};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Variant {
    /// Reads the body, and responds with the same header fields.
    Bare,
    ByHand,
    /// With a time-out for the body.
    ByHandInTime,
    Axum,
    Layer,
    LayerWithTimer,
    /// Called by Tower, not by hyper.
    LayerWithAdapter,
}

impl Variant {
    pub(crate) const ALL: [Self; 7] = [
        Self::Bare,
        Self::ByHand,
        Self::ByHandInTime,
        Self::Axum,
        Self::Layer,
        Self::LayerWithTimer,
        Self::LayerWithAdapter,
    ];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::ByHand => "by-hand",
            Self::ByHandInTime => "by-hand-with-timeout",
            Self::Axum => "axum",
            Self::Layer => "layer",
            Self::LayerWithTimer => "layer-with-timer",
            Self::LayerWithAdapter => "layer-with-adapter",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper",
            Self::ByHand => "handler by hand on hyper",
            Self::ByHandInTime => "… with a time-out",
            Self::Axum => "handler by hand on axum",
            Self::Layer => "the layer on hyper",
            Self::LayerWithTimer => "… with `TokioTimer`",
            Self::LayerWithAdapter => "… and `TowerToHyperService`",
        }
    }
}

/// Serves until stdin ends. Then prints the CPU time.
pub(crate) fn run(variant: Variant) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(serve(variant));
}

fn end_with_stdin() {
    let before = cpu::time(process::id());
    thread::spawn(move || {
        // Ends with an error, or when the parent process closes the pipe or ends.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        if let Some((before, after)) = before.zip(cpu::time(process::id())) {
            let seconds = after.saturating_sub(before).as_secs_f64();
            println!("{seconds:.3} s of CPU time");
        }
        process::exit(0);
    });
}

async fn serve(variant: Variant) {
    let server = Server::new((0..rounds::KNOWN_TOKENS).map(token::known));
    let layer = layered::layer(server.clone());
    match variant {
        Variant::Bare => accept(service_fn(bare)).await,
        Variant::ByHand => {
            let respond = move |request| by_hand::respond(server.clone(), request, by_hand::read);
            accept(service_fn(respond)).await;
        }
        Variant::ByHandInTime => {
            let respond = move |request| by_hand::respond(server.clone(), request, read_in_time);
            accept(service_fn(respond)).await;
        }
        Variant::Axum => accept(TowerToHyperService::new(handler::router(server))).await,
        Variant::Layer => accept(layer.layer(service_fn(elsewhere))).await,
        Variant::LayerWithTimer => {
            let layer = layer.timer(TokioTimer::new());
            accept(layer.layer(service_fn(elsewhere))).await;
        }
        Variant::LayerWithAdapter => {
            let layer = layer.timer(TokioTimer::new());
            accept(TowerToHyperService::new(layer.layer(Inner))).await;
        }
    }
}

/// The parts of hyper are the same for all: HTTP/1 without a time-out for the head.
async fn accept<S, B>(service: S)
where
    S: HttpService<Incoming, ResBody = B, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    println!("listening on http://{address}");
    end_with_stdin();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a TCP connection");
        let service = service.clone();
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async {
            // The load generator checks the responses.
            let _ = connection.await;
        });
    }
}

/// Reads a body for as long as the layer with its timer does.
async fn read_in_time(body: Incoming) -> Result<Bytes, Refusal> {
    let body = timeout(Duration::from_secs(10), by_hand::read(body)).await;
    body.unwrap_or(Err(Refusal(StatusCode::REQUEST_TIMEOUT, "invalid_request")))
}

/// Inside the layer.
async fn elsewhere(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(rules::sealed(StatusCode::NOT_FOUND, Full::default()))
}

async fn bare(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let status = match request.into_body().collect().await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::BAD_REQUEST,
    };
    Ok(rules::sealed(status, Full::default()))
}
