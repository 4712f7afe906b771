//! Tokens, an API behind the layer, and how soon something happens.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
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
use tokio::net::TcpListener;
use tower::{BoxError, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Secret,
    enforce::{EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Revocation, RevocationLog as _, Selector},
};

/// A protected API: every token is known, and is called as the subject and the grant that it is of.
/// That of `broken` cannot be looked up.
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

    /// From now on tokens are good until then.
    pub(crate) fn expire(&self, exp: NumericDate) {
        *self.exp.lock().unwrap() = exp;
    }

    /// The moment that the grant of this token is revoked.
    pub(crate) async fn revoke(&self, token: &str) -> Instant {
        let since = Instant::now();
        let record = Revocation::forever(Selector::grant(token), NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
        since
    }

    /// That of the client that all the tokens were issued to.
    pub(crate) async fn revoke_all(&self) -> Instant {
        let since = Instant::now();
        let all = Selector::client(CLIENT);
        let record = Revocation::watermark(all, NumericDate::now(), NumericDate::FOREVER);
        self.log.append(vec![record]).await.unwrap();
        since
    }
}

const CLIENT: &str = "s6BhdRkqt3";

/// Issued a minute ago, and as much to be revoked by as there can be.
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

/// What has to happen, however long it takes a slow machine.
pub(crate) async fn soon<T>(happens: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(30);
    let happened = tokio::time::timeout(patience, happens).await;
    happened.expect("it has not happened")
}

/// What has to happen within a second of that moment.
pub(crate) async fn within_a_second<T>(since: Instant, happens: impl Future<Output = T>) -> T {
    let happened = soon(happens).await;
    let took = since.elapsed();
    assert!(took <= Duration::from_secs(1), "it took {took:?}");
    happened
}

/// That the second after this moment is not over yet, and has begun.
pub(crate) fn assert_just_past(exp: NumericDate) {
    let exp = UNIX_EPOCH + Duration::from_secs(exp.seconds());
    let late = SystemTime::now().duration_since(exp);
    let late = late.expect("it was before its time");
    assert!(late <= Duration::from_secs(1), "{late:?}");
}

/// Serves `app` to HTTP/1.1 and to HTTP/2: its authority.
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

/// What is answered to the bearer of `token`, who is let in.
pub(crate) async fn get(client: &HttpClient, url: String, token: &str) -> Response<Incoming> {
    let request = Request::get(url)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::default())
        .unwrap();
    let response = soon(client.request(request)).await.unwrap();
    assert_eq!(response.status(), 200);
    response
}

/// What comes next.
pub(crate) async fn next(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| frame.into_data().expect("no trailers were sent")))
}
