//! Tokens, an API behind the layer, and time limits.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, serve::ListenerExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{net::TcpListener, time::MissedTickBehavior};
use tower::{BoxError, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
};

/// A protected API that knows every token: its text is its subject and its grant. The introspection
/// of a token `broken` fails.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) layer: EnforcementLayer<Introspect>,
    pub(crate) index: Index,
    log: MemoryLog,
    exp: Arc<Mutex<NumericDate>>,
}

pub(crate) type Introspect = BoxCloneSyncService<Secret, Option<Introspection>, BoxError>;

impl Guarded {
    pub(crate) async fn new() -> Self {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let exp = Arc::new(Mutex::new(NumericDate::now() + Duration::from_secs(3600)));
        let expires = exp.clone();
        let introspect = Introspect::new(service_fn(move |token: Secret| {
            let exp = *expires.lock().unwrap();
            std::future::ready(match token.expose() {
                "broken" => Err(BoxError::from("the store is down")),
                name => Ok(Some(token_of(name, exp))),
            })
        }));
        let layer = EnforcementLayer::new(introspect, index.clone());
        Self {
            layer,
            index,
            log,
            exp,
        }
    }

    /// From now on tokens expire at `exp`.
    pub(crate) fn expire(&self, exp: NumericDate) {
        *self.exp.lock().unwrap() = exp;
    }

    /// Revokes the grant of this token.
    pub(crate) async fn revoke(&self, token: &str) {
        let record = Revocation::forever(Selector::grant(token), NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
    }

    /// Revokes all tokens of their client.
    pub(crate) async fn revoke_all(&self) {
        let all = Selector::client(CLIENT);
        let record = Revocation::watermark(all, NumericDate::now(), NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
    }
}

const CLIENT: &str = "s6BhdRkqt3";

/// A token that was issued a minute ago, with every kind of selector.
fn token_of(name: &str, exp: NumericDate) -> Introspection {
    let mut token = Introspection::new(TokenKind::AccessToken, CLIENT);
    token.token = Some(Selector::token("https://as.example.com", name));
    token.iss = Some("https://as.example.com".into());
    token.sub = Some(name.into());
    token.grant = Some(name.into());
    token.sid = Some(name.into());
    let mut key = [0; 32];
    key[..name.len()].copy_from_slice(name.as_bytes());
    token.cnf.jkt = Some(key);
    token.iat = Some(NumericDate::new(NumericDate::now().seconds() - 60));
    token.exp = Some(exp);
    token
}

/// Waits for a future, with a limit that no slow machine reaches.
pub(crate) async fn soon<T>(happens: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(30);
    let happened = tokio::time::timeout(patience, happens).await;
    happened.expect("it does not happen")
}

/// Fails unless the future is ready within a second.
///
/// The runtime of the server counts that second, so a machine that stalls fails no test.
pub(crate) async fn within_a_second<T>(happens: impl Future<Output = T>) -> T {
    let mut happens = pin!(happens);
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..=20 {
        tokio::select! {
            biased;
            happened = &mut happens => return happened,
            _ = tick.tick() => {}
        }
    }
    panic!("it takes more than a second")
}

/// Fails unless the future is ready within a second after `moment`, and not before it.
pub(crate) async fn just_past<T>(moment: NumericDate, happens: impl Future<Output = T>) -> T {
    let mut happens = pin!(happens);
    let moment = UNIX_EPOCH + Duration::from_secs(moment.seconds());
    while let Ok(rest) = moment.duration_since(SystemTime::now()) {
        if let Ok(happened) = tokio::time::timeout(rest, &mut happens).await {
            assert!(SystemTime::now() >= moment, "it happens too early");
            return happened;
        }
    }
    within_a_second(happens).await
}

/// Serves `app` over HTTP/1.1 and HTTP/2. Returns its authority.
pub(crate) async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());
    authority
}

pub(crate) type HttpClient = Client<HttpConnector, Full<Bytes>>;

pub(crate) fn http1() -> HttpClient {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn http2() -> HttpClient {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http()
}

/// The response to a request with `token`, which passes.
pub(crate) async fn get(client: &HttpClient, url: String, token: &str) -> Response<Incoming> {
    let request = Request::get(url)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::default())
        .unwrap();
    let response = soon(client.request(request)).await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

/// The next frame of data.
pub(crate) async fn next(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| frame.into_data().expect("no trailers were sent")))
}
