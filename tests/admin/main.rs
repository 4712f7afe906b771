//! Orders of operators over HTTP.

mod access;
mod bulk;
mod inspect;
mod openapi;
mod own;
mod refused;
mod revoke;
mod sightings;
mod status;
mod tenants;
mod trail;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    header::{CONTENT_TYPE, HOST},
};
use serde_json::{Value, json};
use tower::{BoxError, ServiceExt as _};
use tower_revocation::{
    Secret,
    admin::{Access, AdminService, Operators, Tenants},
    enforce::Index,
    introspect::{Introspection, jwt::JwtTokens},
    log::{MemoryLog, NumericDate, RevocationLog, Snapshot},
    revoke::Administration,
    test_util::TestIssuer,
};

const ISSUER: &str = "https://issuer.test";
const NAME: &str = "127.0.0.1:9002";

/// Tokens of the three roles.
const ROLES: [&str; 3] = ["viewer", "operator", "security"];

struct World {
    log: MemoryLog,
    index: Index,
    issuer: TestIssuer,
}

impl World {
    async fn new() -> Self {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let issuer = TestIssuer::new(ISSUER);
        Self { log, index, issuer }
    }

    fn tokens(&self) -> JwtTokens {
        self.issuer.tokens().tenant(ISSUER)
    }

    fn service(&self, access: Access) -> AdminService<MemoryLog, JwtTokens> {
        self.service_of(self.tokens(), Tenants::each_issuer([ISSUER]), access)
    }

    fn service_of<I>(
        &self,
        introspect: I,
        tenants: Tenants,
        access: Access,
    ) -> AdminService<MemoryLog, I> {
        let administration = Administration::new(self.log.clone());
        AdminService::new(
            administration,
            self.index.clone(),
            introspect,
            tenants,
            access,
        )
        .hosts([NAME])
    }

    /// As over a Unix socket.
    fn local(&self) -> AdminService<MemoryLog, JwtTokens> {
        self.service(Access::owner("root"))
    }

    /// As over TCP. The tokens are `token-viewer` and so on.
    fn remote(&self) -> AdminService<MemoryLog, JwtTokens> {
        self.service(Access::operators(operators()))
    }

    async fn order(&self, order: &Value) -> Answer {
        send(self.local(), post("/v1/revocations", &order.to_string())).await
    }

    async fn introspect(&self, token: &str) -> Introspection {
        let introspected = self.tokens().oneshot(Secret::new(token)).await;
        introspected.unwrap().into_token().expect("it is genuine")
    }

    async fn is_live(&self, token: &str) -> bool {
        let token = self.introspect(token).await;
        self.index.is_live(&token, NumericDate::now())
    }

    async fn records(&self) -> usize {
        Snapshot::of(&self.log).await.unwrap().records.len()
    }
}

fn sha256(text: &str) -> String {
    use sha2::{Digest as _, Sha256};

    let digest: [u8; 32] = Sha256::digest(text).into();
    digest.map(|byte| format!("{byte:02x}")).concat()
}

fn operators() -> Operators {
    let lines = ROLES.map(|role| format!("{role}-1 {role} {}\n", sha256(&format!("token-{role}"))));
    Operators::parse(&lines.concat()).unwrap()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    json: Value,
}

impl Answer {
    #[track_caller]
    fn is_problem(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.json["status"], status);
        assert!(
            self.json["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
    }
}

fn post(uri: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post(uri)
        .header(HOST, NAME)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_owned()))
        .unwrap()
}

fn get(uri: &str) -> Request<Full<Bytes>> {
    let request = Request::get(uri).header(HOST, NAME);
    request.body(Full::default()).unwrap()
}

fn with(
    mut request: Request<Full<Bytes>>,
    name: &'static str,
    value: &str,
) -> Request<Full<Bytes>> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

/// With the token of this role.
fn by(role: &str, request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    with(request, "authorization", &format!("Bearer token-{role}"))
}

async fn send<L, I>(service: AdminService<L, I>, request: Request<Full<Bytes>>) -> Answer
where
    L: RevocationLog + Clone + Send + Sync + 'static,
    I: tower::Service<Secret, Error: Into<BoxError>> + Clone + Send + 'static,
    I::Response: Into<tower_revocation::introspect::Introspected>,
    I::Future: Send,
{
    let response = service.oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(head.headers["cache-control"], "no-store");
    assert_eq!(head.headers["x-content-type-options"], "nosniff");
    Answer {
        status: head.status,
        headers: head.headers,
        json: serde_json::from_slice(&body).unwrap(),
    }
}
