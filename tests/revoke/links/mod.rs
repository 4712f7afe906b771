//! Opaque refresh tokens of another server: learnt from its token responses, and revoked here.

mod damaged;
mod forward;
mod holders;
mod killed;
mod passing;
mod refused;
mod revoked;
mod stored;
mod unknown;
mod unread;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_TYPE},
};
use serde_json::{Value, json};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Outcome, RevocationRequest, Secret,
    enforce::{Freshness, Index},
    introspect::{Introspected, Introspection, jwt::JwtTokens},
    log::{EmbeddedLog, NumericDate, Snapshot},
    revoke::{LearnLinksLayer, LinkedTokens, Links, RecordRevocation, WatchedBody},
    test_util::{TestIssuer, TestToken},
};

const PATH: &str = "/oauth2/token";
const FORM: &str = "application/x-www-form-urlencoded";

type Mint = Arc<dyn Fn(TestToken) -> TestToken + Send + Sync>;
type AuthorizationServer =
    BoxCloneSyncService<Request<WatchedBody<Full<Bytes>>>, Response<Full<Bytes>>, BoxError>;

/// A gateway in front of an authorization server that cannot revoke.
struct World {
    log: EmbeddedLog,
    index: Index,
    links: Links,
    issuer: TestIssuer,
    mint: Mint,
    requests: Arc<AtomicUsize>,
    /// Removed after the log is closed.
    folder: Option<tempfile::TempDir>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self::at(folder.path()).await;
        Self {
            folder: Some(folder),
            ..world
        }
    }

    /// With a log in this folder.
    async fn at(folder: &Path) -> Self {
        let log = open(folder);
        Self {
            index: Index::follow(&log).await.unwrap(),
            links: Links::open(log.clone()).unwrap(),
            log,
            folder: None,
            issuer: TestIssuer::new("https://issuer.test"),
            mint: Arc::new(|token| token),
            requests: Arc::default(),
        }
    }

    fn folder(&self) -> &Path {
        self.folder.as_ref().expect("the world has a folder").path()
    }

    /// The issuer writes its access tokens so.
    fn minting(mut self, mint: impl Fn(TestToken) -> TestToken + Send + Sync + 'static) -> Self {
        self.mint = Arc::new(mint);
        self
    }

    fn tokens(&self) -> JwtTokens {
        self.issuer.tokens().tenant("https://issuer.test")
    }

    fn record(&self) -> RecordRevocation<LinkedTokens<JwtTokens>, EmbeddedLog> {
        let tokens = LinkedTokens::new(self.links.clone(), self.tokens());
        RecordRevocation::new(tokens, self.log.clone())
    }

    async fn revoke(&self, client: &str, token: &str) -> Outcome {
        let request = RevocationRequest::new(client.to_owned(), Secret::new(token));
        self.record().oneshot(request).await.unwrap()
    }

    async fn records(&self) -> usize {
        Snapshot::of(&self.log).await.unwrap().records.len()
    }

    async fn introspect(&self, access: &str) -> Introspection {
        let introspected = self.tokens().oneshot(Secret::new(access)).await;
        introspected.unwrap().into_token().expect("it is genuine")
    }

    async fn is_live(&self, access: &str) -> bool {
        let token = self.introspect(access).await;
        self.index.is_live(&token, NumericDate::now())
    }

    /// Issues an access token for every request, and a new refresh token with it.
    fn authorization_server(&self) -> AuthorizationServer {
        let (issuer, mint) = (self.issuer.clone(), self.mint.clone());
        let requests = self.requests.clone();
        served(move |_, _| {
            let number = requests.fetch_add(1, Ordering::SeqCst);
            json_response(&json!({
                "access_token": mint(issuer.token()).sign(),
                "token_type": "Bearer",
                "expires_in": 300,
                "refresh_token": format!("refresh-{number}"),
            }))
        })
    }

    fn layer(&self) -> LearnLinksLayer<JwtTokens> {
        self.layer_with(self.tokens())
    }

    /// With another introspection.
    fn layer_with<I: Clone>(&self, introspect: I) -> LearnLinksLayer<I> {
        let index = self.index.clone();
        LearnLinksLayer::new(PATH, introspect, self.links.clone()).refuse_revoked(move |token| {
            match (index.covers(token), index.freshness()) {
                (true, _) => Ok(true),
                (false, Freshness::Fresh) => Ok(false),
                _ => Err("the index is not fresh".into()),
            }
        })
    }

    async fn ask(&self, server: AuthorizationServer, body: &str) -> Answer {
        let service = self.layer().layer(server);
        answer(service.oneshot(form(body)).await.unwrap()).await
    }

    /// The access token and the refresh token of a login.
    async fn login(&self) -> [String; 2] {
        let server = self.authorization_server();
        self.ask(server, "grant_type=authorization_code&code=x")
            .await
            .tokens()
    }

    async fn refresh(&self, refresh_token: &str) -> Answer {
        let form = format!("grant_type=refresh_token&refresh_token={refresh_token}");
        self.ask(self.authorization_server(), &form).await
    }
}

fn form(body: &str) -> Request<Full<Bytes>> {
    let request = Request::post(PATH).header(CONTENT_TYPE, FORM);
    request.body(Full::from(body.to_owned())).unwrap()
}

fn open(folder: &Path) -> EmbeddedLog {
    EmbeddedLog::open(folder.join("revocations.redb")).unwrap()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn error(&self) -> (u16, String) {
        let error = self.json()["error"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), error)
    }

    fn tokens(&self) -> [String; 2] {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        let json = self.json();
        ["access_token", "refresh_token"].map(|name| json[name].as_str().unwrap().to_owned())
    }
}

async fn answer<B>(response: Response<B>) -> Answer
where
    B: hyper::body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let (head, body) = response.into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

fn json_response(json: &Value) -> Response<Full<Bytes>> {
    Response::builder()
        .header(CONTENT_TYPE, "application/json;charset=UTF-8")
        .body(Full::from(json.to_string()))
        .unwrap()
}

/// A server that answers by the head and the body of a request.
fn served(
    respond: impl Fn(&HeaderMap, &[u8]) -> Response<Full<Bytes>> + Clone + Send + Sync + 'static,
) -> AuthorizationServer {
    BoxCloneSyncService::new(service_fn(
        move |request: Request<WatchedBody<Full<Bytes>>>| -> BoxFuture<'static, _> {
            let respond = respond.clone();
            Box::pin(async move {
                let (head, body) = request.into_parts();
                assert!(!head.headers.contains_key(ACCEPT_ENCODING));
                let body = body.collect().await?.to_bytes();
                Ok::<_, BoxError>(respond(&head.headers, &body))
            })
        },
    ))
}

/// An introspection that always says this.
fn says(
    introspected: Result<Introspected, &'static str>,
) -> BoxCloneSyncService<Secret, Introspected, BoxError> {
    BoxCloneSyncService::new(service_fn(move |_: Secret| {
        std::future::ready(introspected.clone().map_err(BoxError::from))
    }))
}
