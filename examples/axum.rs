//! The layer around an axum application, with a backend of its own over a table of its own.
//!
//! ```sh
//! cargo run --example axum
//! curl -i -u s6BhdRkqt3:gX1fBat3bV -d token=45ghiukldjahdnhzdauz http://127.0.0.1:3000/revoke
//! curl -i -H 'Authorization: Bearer 45ghiukldjahdnhzdauz' http://127.0.0.1:3000/
//! ```

use std::{collections::HashMap, env, process::ExitCode, sync::Arc};

use axum::{Router, http::HeaderMap, routing::get};
use hyper_util::rt::TokioTimer;
use tokio::{net::TcpListener, sync::Mutex};
use tower::{BoxError, Layer as _, service_fn};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest,
    client::registry::{Client, ClientAuthenticator, Registry},
};

/// The application's own table: the tokens that are live, each with its owner.
type Tokens = Arc<Mutex<HashMap<String, String>>>;

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
    let clients = r#"[
        { "client_id": "s6BhdRkqt3", "client_secret": "gX1fBat3bV" },
        { "client_id": "c2", "client_secret": "s3cr3t-two" }
    ]"#;
    let authenticator = ClientAuthenticator::new(Registry::from_json(clients)?);
    let token = ("45ghiukldjahdnhzdauz".to_owned(), "s6BhdRkqt3".to_owned());
    let tokens = Tokens::new(Mutex::new([token].into()));

    let table = tokens.clone();
    let backend = service_fn(move |request: RevocationRequest<Arc<Client>>| {
        let table = table.clone();
        async move {
            let (token, mut table) = (request.token.expose(), table.lock().await);
            Ok::<_, BoxError>(match table.get(token) {
                None => Outcome::NotFound,
                Some(owner) if owner != request.client.client_id() => Outcome::IssuedToAnother,
                Some(_) => {
                    table.remove(token);
                    Outcome::Revoked
                }
            })
        }
    });

    let who = async move |headers: HeaderMap| {
        let field = headers
            .get("authorization")
            .and_then(|field| field.to_str().ok());
        let token = field
            .and_then(|field| field.strip_prefix("Bearer "))
            .unwrap_or_default();
        tokens
            .lock()
            .await
            .get(token)
            .map_or("nobody\n".into(), |owner| format!("{owner}\n"))
    };
    let router = Router::new().route("/", get(who));
    // Around the whole application, so that no route is beside it; `axum::serve` takes a router.
    let layer = RevocationLayer::new("/revoke", authenticator, backend).timer(TokioTimer::new());
    let app = layer.layer(router);
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
