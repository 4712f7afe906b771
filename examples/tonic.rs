//! gRPC and revocation on one port. A streaming call ends when its token is revoked.
//!
//! ```sh
//! cargo run --example tonic
//! grpcurl -plaintext 127.0.0.1:3000 grpc.health.v1.Health/Check
//! grpcurl -plaintext -H 'Authorization: Bearer 45ghiukldjahdnhzdauz' 127.0.0.1:3000 grpc.health.v1.Health/Watch
//! curl -i -d token=45ghiukldjahdnhzdauz -d client_id=spa-1 http://127.0.0.1:3000/revoke # in another terminal
//! ```

use std::{env, process::ExitCode};

use axum::{Router, http::Request};
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tower::{BoxError, Layer as _, service_fn};
use tower_revocation::{
    RevocationLayer, Secret,
    client::Credentials,
    enforce::{EnforcementLayer, Index, Policy},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Selector},
    revoke::RecordRevocation,
};

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
    let authenticator = service_fn(async |request: Request<Credentials>| {
        Ok::<_, BoxError>(match request.into_body() {
            Credentials::ClientId { client_id } if client_id == "spa-1" => Some(client_id),
            _ => None,
        })
    });
    // There is one token, issued to that client.
    let issued = NumericDate::now();
    let introspect = service_fn(move |token: Secret| async move {
        let known = token.expose() == "45ghiukldjahdnhzdauz";
        Ok::<_, BoxError>(known.then(|| {
            let mut token = Introspection::new(TokenKind::AccessToken, "spa-1");
            token.token = Some(Selector::token("https://as.example.com", "1"));
            token.iat = Some(issued);
            token
        }))
    });

    // Services of tonic become routes of an axum application.
    let (_reporter, health) = tonic_health::server::health_reporter();
    let grpc = Routes::new(health).prepare().into_axum_router();
    let log = MemoryLog::new();
    let index = Index::follow(&log).await?;
    let enforcement = EnforcementLayer::new(introspect, index)
        // A load balancer has no token, and calls `Check`. `Watch` needs a token.
        .policy_by(|head| Policy::new().anonymous(head.uri.path().ends_with("/Check")));
    let backend = RecordRevocation::new(introspect, log).responsible_for_all_tokens(true);
    let app = RevocationLayer::new("/revoke", authenticator, backend)
        .timer(TokioTimer::new())
        .layer(enforcement.layer(grpc));
    let app = Router::new().fallback_service(app);

    let listen = env::var_os("LISTEN").unwrap_or_else(|| "127.0.0.1:3000".into());
    let listen = listen.to_string_lossy();
    let listener = TcpListener::bind(&*listen)
        .await
        .map_err(|error| format!("LISTEN={listen}: {error}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
