//! An API behind the layer, an introspection with some tokens, and a log of several writers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Bytes, header};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    enforce::{EnforcedBody, EnforcementLayer, Index, Refused, Verdict},
    introspect::{Introspected, Introspection, TokenKind},
    log::{
        Durability, LogError, LogHealth, MemoryLog, Moment, NumericDate, Position, Reader,
        Revocation, RevocationLog, Selector,
    },
};

pub(crate) const TOKEN: &str = "mF_9.B5f-4.1JqM";
pub(crate) const ISSUER: &str = "https://as.example.com";

/// A good access token of `alice`, issued a minute ago.
pub(crate) fn good() -> Introspection {
    let now = NumericDate::now();
    let mut token = Introspection::new(TokenKind::AccessToken, "s6BhdRkqt3");
    token.token = Some(Selector::token(ISSUER, "jti-1"));
    token.iss = Some(ISSUER.into());
    token.sub = Some("alice".into());
    token.grant = Some("g1".into());
    token.sid = Some("s1".into());
    token.cnf.jkt = Some([1; 32]);
    token.iat = Some(NumericDate::new(now.seconds() - 60));
    token.exp = Some(NumericDate::new(now.seconds() + 3600));
    token
}

/// The same token, as a table returns it after it has revoked it.
pub(crate) fn revoked() -> Introspection {
    let mut token = good();
    token.revoked = true;
    token
}

/// Some tokens. The introspection of a token `broken` fails.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<HashMap<String, Introspection>>>);

impl Known {
    pub(crate) fn with(token: Introspection) -> Self {
        let known = Self::default();
        known.insert(TOKEN, token);
        known
    }

    pub(crate) fn insert(&self, text: &str, token: Introspection) {
        self.0.lock().unwrap().insert(text.to_owned(), token);
    }

    pub(crate) fn introspect(&self, token: &Secret) -> Result<Option<Introspection>, BoxError> {
        match token.expose() {
            "broken" => Err("the store is down".into()),
            text => Ok(self.0.lock().unwrap().get(text).cloned()),
        }
    }
}

/// An introspection service.
pub(crate) type Introspect =
    tower::util::BoxCloneSyncService<Secret, Option<Introspection>, BoxError>;

impl Known {
    pub(crate) fn service(&self) -> Introspect {
        let known = self.clone();
        Introspect::new(service_fn(move |token: Secret| {
            std::future::ready(known.introspect(&token))
        }))
    }
}

pub(crate) fn request(authorization: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::get("/api/me").body(Full::default()).unwrap();
    if let Some(value) = authorization {
        let value = value.parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value);
    }
    request
}

pub(crate) fn with_token() -> Request<Full<Bytes>> {
    request(Some(&format!("Bearer {TOKEN}")))
}

/// Returns the subject of the request's token.
async fn api(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, BoxError> {
    let token = request.extensions().get::<Introspection>();
    let name = token.map_or("anonymous", |token| {
        token.sub.as_deref().unwrap_or_default()
    });
    Ok(Response::new(Full::from(name.to_owned())))
}

/// The response to a request.
pub(crate) async fn ask<I>(
    layer: &EnforcementLayer<I>,
    request: Request<Full<Bytes>>,
) -> Response<EnforcedBody<Full<Bytes>>>
where
    I: tower::Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
{
    layer.layer(service_fn(api)).oneshot(request).await.unwrap()
}

pub(crate) async fn body(response: Response<EnforcedBody<Full<Bytes>>>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// The status, and the verdict if it was refused.
pub(crate) async fn verdict<I>(
    layer: &EnforcementLayer<I>,
    request: Request<Full<Bytes>>,
) -> (StatusCode, Option<Verdict>)
where
    I: tower::Service<Secret, Response: Into<Introspected>> + Clone,
    I::Error: Into<BoxError>,
{
    let response = ask(layer, request).await;
    let refused = response.extensions().get::<Refused>();
    (response.status(), refused.map(Refused::verdict))
}

/// An API where [`TOKEN`] stands for `token`, and the log of its index.
pub(crate) async fn guarded(token: Introspection) -> (EnforcementLayer<Introspect>, MemoryLog) {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    let layer = EnforcementLayer::new(Known::with(token).service(), index);
    (layer, log)
}

/// A log with other writers: its readers are stale until it reports.
#[derive(Clone, Default)]
pub(crate) struct RemoteLog {
    readers: Arc<Mutex<Vec<Weak<dyn Reader>>>>,
    records: Arc<Mutex<Vec<Revocation>>>,
    pub(crate) forgotten: Option<NumericDate>,
    /// How long the answers of the log are on their way.
    pub(crate) asked_ago: Duration,
}

impl RemoteLog {
    /// Tells the readers that they have every record.
    pub(crate) fn beat(&self) {
        self.tell(|reader| self.complete(reader));
    }

    /// Hands records to the readers, without a word about how fresh they are.
    pub(crate) fn report(&self, records: &[Revocation]) {
        self.records.lock().unwrap().extend(records);
        self.tell(|reader| reader.read(records));
    }

    fn complete(&self, reader: &dyn Reader) {
        reader.complete(self.position(), Moment::now() - self.asked_ago);
    }

    fn position(&self) -> Position {
        Position {
            epoch: 1,
            sequence: self.records.lock().unwrap().len() as u64,
        }
    }

    fn tell(&self, tell: impl Fn(&dyn Reader)) {
        for reader in &*self.readers.lock().unwrap() {
            if let Some(reader) = reader.upgrade() {
                tell(&*reader);
            }
        }
    }
}

impl RevocationLog for RemoteLog {
    async fn append(&self, batch: Vec<Revocation>) -> Result<Position, LogError> {
        self.report(&batch);
        Ok(self.position())
    }

    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        if let Some(reader) = reader.upgrade() {
            reader.read(&self.records.lock().unwrap());
            if let Some(forgotten) = self.forgotten {
                reader.forgotten(forgotten);
            }
            self.complete(&*reader);
        }
        self.readers.lock().unwrap().push(reader);
        Ok(())
    }

    fn health(&self) -> LogHealth {
        LogHealth::writable()
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

pub(crate) fn forever(selector: Selector) -> Vec<Revocation> {
    vec![Revocation::forever(selector, NumericDate::FOREVER)]
}
