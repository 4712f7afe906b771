//! The layer around a hyper service, over HTTP/1 and HTTP/2.
//!
//! ```sh
//! cargo run --example hyper
//! curl -i -d token=45ghiukldjahdnhzdauz -d client_id=spa-1 http://127.0.0.1:3000/revoke
//! curl -i --http2-prior-knowledge http://127.0.0.1:3000/
//! ```

use std::{
    collections::HashMap, convert::Infallible, env, error::Error, sync::Arc, time::Duration,
};

use http_body_util::Full;
use hyper::{Request, Response, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Mutex};
use tower::{Layer as _, service_fn};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

/// The tokens that are live, each with its owner.
type Tokens = Arc<Mutex<HashMap<String, String>>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tokens = [
        ("45ghiukldjahdnhzdauz", "spa-1"),
        ("2YotnFZFEjr1zCsicMWpAA", "spa-2"),
    ]
    .map(|(token, client)| (token.to_owned(), client.to_owned()));
    let tokens = Tokens::new(Mutex::new(tokens.into()));

    let layer = RevocationLayer::new("/revoke", service_fn(authenticate), backend(tokens))
        // A body that stalls is given up.
        .timer(TokioTimer::new());
    let service = layer.layer(service_fn(async |_: Request<Incoming>| {
        Ok::<_, Infallible>(Response::new(Full::from("the inner service\n")))
    }));

    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, perhaps: others may free some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

/// Two public clients (RFC 7009 §5): a `client_id` is all that they have.
async fn authenticate(request: Request<Credentials>) -> Result<Option<String>, Infallible> {
    Ok(match request.into_body() {
        Credentials::ClientId { client_id } if ["spa-1", "spa-2"].contains(&&*client_id) => {
            Some(client_id)
        }
        _ => None,
    })
}

/// Owners are compared, and what is removed is refused from then on.
fn backend(
    tokens: Tokens,
) -> impl tower::Service<RevocationRequest<String>, Response = Outcome, Error = Infallible, Future: Send>
+ Clone {
    service_fn(move |request: RevocationRequest<String>| {
        let tokens = tokens.clone();
        async move {
            let mut tokens = tokens.lock().await;
            Ok(match tokens.get(request.token.expose()) {
                None => Outcome::NotFound,
                Some(owner) if *owner != request.client => Outcome::IssuedToAnother,
                Some(_) => {
                    tokens.remove(request.token.expose());
                    Outcome::Revoked
                }
            })
        }
    })
}
