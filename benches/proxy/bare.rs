//! The servers that check nothing.

use std::{convert::Infallible, error::Error, net::SocketAddr};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, Response, Uri, body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{net::TcpListener, runtime};

/// A proxy of hyper and hyper-util that passes each request on as it is.
pub(crate) fn proxy(address: &str, api: &str) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Incoming>();
    let api: &'static str = api.to_owned().leak();
    accept(address, move |stream| {
        let client = client.clone();
        let pass = service_fn(move |mut request: Request<Incoming>| {
            let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
            let uri = Uri::builder().scheme("http").authority(api);
            let uri = uri.path_and_query(path).build().expect("it has a path");
            *request.uri_mut() = uri;
            client.request(request)
        });
        async move {
            let server = auto::Builder::new(TokioExecutor::new());
            server.serve_connection(stream, pass).await
        }
    });
}

/// A server of hyper that says 200 to everything.
pub(crate) fn hyper(address: &str) {
    accept(address, |stream| async {
        let respond = service_fn(async |_: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        });
        let server = auto::Builder::new(TokioExecutor::new());
        server.serve_connection(stream, respond).await
    });
}

fn accept<F>(address: &str, serve: impl Fn(TokioIo<tokio::net::TcpStream>) -> F)
where
    F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    // As the sidecar. Its number of threads is that of the CPUs that it may use: one.
    let runtime = runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let address: SocketAddr = address.parse().expect("an address");
        let listener = TcpListener::bind(address).await.expect("a free port");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("a TCP connection");
            tokio::spawn(serve(TokioIo::new(stream)));
        }
    });
}
