//! Accepts connections, and serves HTTP/1.1 and HTTP/2 on them.

use std::{
    convert::Infallible,
    error::Error,
    io::{self, Cursor},
    iter::successors,
    net::SocketAddr,
    time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, join},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::{BoxError, Service, ServiceExt as _, service_fn};
use tower_revocation::{client::PeerAddr, enforce::End};

use crate::{
    body::Counted,
    idle::{IDLE, Requests},
    setting::causes,
};

pub(crate) async fn serve<S, B>(listener: TcpListener, service: S) -> !
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
{
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Perhaps there are no file descriptors left. Other connections may free some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = service.clone();
        tokio::spawn(async move {
            if let Err(error) = connection(stream, peer, service).await {
                match end_of_token(&*error) {
                    Some(end) => eprintln!("cut a stream: {end}"),
                    None => eprintln!("the connection failed: {}", causes(&*error)),
                }
            }
        });
    }
}

/// The reason for which the enforcement layer has cut a stream, if it has.
fn end_of_token(error: &(dyn Error + 'static)) -> Option<End> {
    let mut chain = successors(Some(error), |&error| error.source());
    chain.find_map(|error| error.downcast_ref().copied())
}

async fn connection<S, B>(stream: TcpStream, peer: SocketAddr, service: S) -> Result<(), BoxError>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Error: Into<BoxError>, Data: Send> + Send + 'static,
{
    let Ok(begun) = timeout(IDLE, begin(stream)).await else {
        return Ok(());
    };
    let (is_http2, stream) = begun?;
    let requests = Requests::new();
    let counted = {
        let requests = requests.clone();
        service_fn(move |mut request: Request<Incoming>| {
            let in_flight = requests.begin();
            request.extensions_mut().insert(PeerAddr(peer));
            let response = service.clone().oneshot(request);
            async move {
                let response = response.await?;
                Ok::<_, Infallible>(response.map(|body| Counted { body, in_flight }))
            }
        })
    };
    let (stream, counted) = (TokioIo::new(stream), TowerToHyperService::new(counted));
    if is_http2 {
        let mut server = http2::Builder::new(TokioExecutor::new());
        server
            .timer(TokioTimer::new())
            .keep_alive_interval(IDLE)
            .keep_alive_timeout(IDLE);
        requests
            .serve(server.serve_connection(stream, counted))
            .await?;
    } else {
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(IDLE);
        requests
            .serve(server.serve_connection(stream, counted))
            .await?;
    }
    Ok(())
}

/// The first bytes of an HTTP/2 client (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads until the version of HTTP is certain. Returns a stream that reads these bytes again.
async fn begin(
    stream: TcpStream,
) -> io::Result<(bool, impl AsyncRead + AsyncWrite + Unpin + Send)> {
    let (mut read, write) = stream.into_split();
    let mut first = Vec::with_capacity(PREFACE.len());
    while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
        let missing = PREFACE.len() - first.len();
        let mut rest = (&mut read).take(missing as u64);
        if rest.read_buf(&mut first).await? == 0 {
            break;
        }
    }
    let is_http2 = first == PREFACE;
    Ok((is_http2, join(Cursor::new(first).chain(read), write)))
}
