//! One port for gRPC and for revocation.
//!
//! ```sh
//! cargo run --example tonic
//! curl -i -d token=45ghiukldjahdnhzdauz -d client_id=spa-1 http://127.0.0.1:3000/revoke
//! grpcurl -plaintext 127.0.0.1:3000 grpc.health.v1.Health/Check
//! ```

use std::{convert::Infallible, env, error::Error};

use axum::{Router, http::Request};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tower::{Layer as _, service_fn};
use tower_revocation::{Outcome, RevocationLayer, RevocationRequest, client::Credentials};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authenticator = service_fn(async |request: Request<Credentials>| {
        Ok::<_, Infallible>(match request.into_body() {
            Credentials::ClientId { client_id } if client_id == "spa-1" => Some(client_id),
            _ => None,
        })
    });
    // A key space of one token, which is of that client.
    let backend = service_fn(async |request: RevocationRequest<String>| {
        Ok::<_, Infallible>(match request.token.expose() {
            "45ghiukldjahdnhzdauz" => Outcome::Revoked,
            _ => Outcome::NotFound,
        })
    });

    // tonic's own services are routes of an axum application.
    let (_reporter, health) = tonic_health::server::health_reporter();
    let grpc = Routes::new(health).prepare().into_axum_router();
    let layer = RevocationLayer::new("/revoke", authenticator, backend).timer(TokioTimer::new());
    let app = layer.layer(grpc);
    let app = Router::new().fallback_service(app);

    let listen = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
