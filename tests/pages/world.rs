//! The pages and their service, on a server.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{Request, Response, body::Incoming, header::HeaderName, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tower::{BoxError, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    admin::{
        Access, AdminPages, AdminService, Operators, OwnPages, OwnSessions, PageSessions,
        RecentRecords, Tenants, Trail,
    },
    client::PeerAddr,
    enforce::{EnforcementLayer, Index},
    introspect::Introspection,
    log::{MemoryJournal, MemoryLog, NumericDate, Snapshot},
    revoke::{Administration, Handles},
    sightings::Sightings,
    test_util::TestIssuer,
};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const OTHER_ISSUER: &str = "https://other.test";
/// The field in which a proxy on this machine names an operator.
pub(crate) const PROXY_FIELD: HeaderName = HeaderName::from_static("x-forwarded-user");
const LOOPBACK: &str = "127.0.0.1";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
/// Tokens of the three roles are `token-viewer` and so on.
const ROLES: [&str; 3] = ["viewer", "operator", "security"];

pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) index: Index,
    pub(crate) issuer: TestIssuer,
    sightings: Sightings,
    /// Another origin, whose app may call for users.
    pub(crate) app: String,
    pub(crate) sessions: PageSessions,
    /// `None`: no orders are kept.
    trail: Option<Trail>,
    /// The authority of the server.
    pub(crate) host: String,
    pub(crate) base: String,
}

type Body = UnsyncBoxBody<Bytes, BoxError>;

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(operators_of(&ROLES), &[], None).await
    }

    /// Keeps orders.
    pub(crate) async fn with_trail() -> Self {
        let trail = Trail::new(MemoryJournal::new());
        Self::with(operators_of(&ROLES), &[], Some(trail)).await
    }

    /// With several issuers to choose from.
    pub(crate) async fn of_issuers(issuers: &[&str]) -> Self {
        Self::with(operators_of(&ROLES), issuers, None).await
    }

    async fn with(operators: Operators, issuers: &[&str], trail: Option<Trail>) -> Self {
        let log = MemoryLog::new();
        let index = Index::follow(&log).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let app = serve_app().await;
        let world = Self {
            log,
            index,
            issuer: TestIssuer::new(ISSUER),
            sightings: Sightings::new(),
            app,
            sessions: PageSessions::new().unwrap(),
            trail,
            base: format!("http://{host}"),
            host,
        };
        world.serve(listener, operators, issuers).await;
        world
    }

    /// Serves the same sessions for other tokens, as after a reload. Returns the authority.
    pub(crate) async fn reload(&self, roles: &[&str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        self.serve(listener, operators_of(roles), &[]).await;
        host
    }

    async fn serve(&self, listener: TcpListener, operators: Operators, issuers: &[&str]) {
        let host = listener.local_addr().unwrap().to_string();
        let hosts = [host.clone()];
        let tenants = match issuers {
            [] => Tenants::each_issuer([ISSUER]),
            several => Tenants::each_issuer(several.iter().copied()),
        };
        let service = AdminService::new(
            Administration::new(self.log.clone()),
            self.index.clone(),
            self.issuer.tokens().tenant(ISSUER),
            tenants,
            Access::operators(operators.clone()),
        )
        .hosts(hosts.clone());
        let service = service.sightings(self.sightings.clone(), Handles::new([7; 32]));
        let service = match &self.trail {
            Some(trail) => service.trail(trail.clone()),
            None => service,
        };
        let access = Access::operators(operators);
        let access = access.proxy_names(PROXY_FIELD, [LOOPBACK.parse().unwrap()]);
        let pages = AdminPages::new(service.clone(), access, self.sessions.clone())
            .hosts(hosts)
            .issuers(issuers.iter().copied())
            .recent(RecentRecords::follow(&self.log).await.unwrap());
        let tokens = self.issuer.tokens().tenant(ISSUER);
        let own = OwnSessions::new(
            EnforcementLayer::new(tokens.clone(), self.index.clone()),
            self.index.clone(),
            tokens,
            Administration::new(self.log.clone()),
            self.sightings.clone(),
            Handles::new([7; 32]),
        );
        let calls = own.clone().cors([self.app.parse().unwrap()]);
        let own = OwnPages::new(own, self.sessions.clone()).hosts([host]);
        let site = service_fn(move |request: Request<Incoming>| {
            let (service, pages) = (service.clone(), pages.clone());
            let (calls, own) = (calls.clone(), own.clone());
            async move {
                let response = if request.uri().path().starts_with("/v1/me/") {
                    let response = calls.oneshot(request).await;
                    response.map(|it| it.map(|body| body.map_err(BoxError::from).boxed_unsync()))
                } else if request.uri().path().starts_with("/v1/") {
                    let response = service.oneshot(request).await;
                    response.map(|it| it.map(|body| body.map_err(BoxError::from).boxed_unsync()))
                } else if request.uri().path().starts_with("/me") {
                    let response = own.oneshot(request).await;
                    response.map(|it| it.map(|body| body.map_err(BoxError::from).boxed_unsync()))
                } else {
                    let response = pages.oneshot(request).await;
                    response.map(|it| it.map(|body| body.map_err(BoxError::from).boxed_unsync()))
                };
                Ok::<Response<Body>, Infallible>(response.unwrap())
            }
        });
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let site = site
                    .clone()
                    .map_request(move |mut request: Request<Incoming>| {
                        request.extensions_mut().insert(PeerAddr(peer));
                        request
                    });
                let served = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(site));
                tokio::spawn(served);
            }
        });
    }

    /// A token of a subject in a session, which was used in Firefox.
    pub(crate) async fn used(&self, subject: &str, session: &str) -> String {
        let token = self.issuer.token().subject(subject).client("shop");
        let token = token.session(session).sign();
        let known = self.introspect(&token).await;
        let request = Request::get("/").header("user-agent", FIREFOX);
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let peer = PeerAddr("192.0.2.7:1".parse().unwrap());
        head.extensions.insert(peer);
        self.sightings.note(&known, &head.headers, &head.extensions);
        token
    }

    async fn introspect(&self, token: &str) -> Introspection {
        let tokens = self.issuer.tokens().tenant(ISSUER);
        let token = tokens.oneshot(Secret::new(token)).await.unwrap();
        token.into_token().expect("it is genuine")
    }

    pub(crate) async fn is_live(&self, token: &str) -> bool {
        let token = self.introspect(token).await;
        self.index.is_live(&token, NumericDate::now())
    }

    pub(crate) async fn records(&self) -> usize {
        Snapshot::of(&self.log).await.unwrap().records.len()
    }
}

/// Serves `examples/spa` at an origin of its own.
async fn serve_app() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let app = service_fn(async |_: Request<Incoming>| {
        let page = include_str!("../../examples/spa/index.html");
        let response = Response::builder().header("content-type", "text/html");
        Ok::<_, Infallible>(response.body(Full::<Bytes>::from(page)).unwrap())
    });
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let app = TowerToHyperService::new(app);
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), app));
        }
    });
    origin
}

fn operators_of(roles: &[&str]) -> Operators {
    let line = |role: &&str| {
        let digest: [u8; 32] = Sha256::digest(format!("token-{role}")).into();
        let digest = digest.map(|byte| format!("{byte:02x}")).concat();
        format!("{role}-1 {role} {digest}\n")
    };
    let lines: String = roles.iter().map(line).collect();
    Operators::parse(&(lines + "ann operator proxy\n")).unwrap()
}
