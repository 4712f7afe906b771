//! Which tokens were used here.

mod ended;
mod kept;
mod limits;

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, header};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    client::PeerAddr,
    enforce::{EnforcementLayer, Index},
    introspect::{Introspection, TokenKind},
    log::{MemoryLog, NumericDate, Selector},
    sightings::{Sightings, SightingsLayer},
};

const ISSUER: &str = "https://as.example.com";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A good access token of `alice` at the shop, with a session and a grant.
fn token(id: &str) -> Introspection {
    let now = NumericDate::now();
    let mut token = Introspection::new(TokenKind::AccessToken, "shop");
    token.token = Some(Selector::token(ISSUER, id));
    token.iss = Some(ISSUER.into());
    token.sub = Some("alice".into());
    token.sid = Some("s1".into());
    token.grant = Some("g1".into());
    token.iat = Some(NumericDate::new(now.seconds() - 60));
    token.exp = Some(NumericDate::new(now.seconds() + 3600));
    token
}

/// Notes a token that a request without a browser and an address has.
fn note(sightings: &Sightings, token: &Introspection) {
    let (head, ()) = Request::new(()).into_parts();
    sightings.note(token, &head.headers, &head.extensions);
}

/// Sends a request with a token through both layers. The introspection knows every token as this one.
async fn visit(sightings: &Sightings, index: &Index, token: &Introspection) -> StatusCode {
    let known = token.clone();
    let introspect =
        service_fn(move |_: Secret| std::future::ready(Ok::<_, BoxError>(Some(known.clone()))));
    let api = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
    });
    let noting = SightingsLayer::new(sightings.clone());
    let service = EnforcementLayer::new(introspect, index.clone()).layer(noting.layer(api));
    let request = Request::get("/")
        .header(header::AUTHORIZATION, "Bearer mF_9.B5f-4.1JqM")
        .header(header::USER_AGENT, FIREFOX)
        .extension(PeerAddr("203.0.113.77:40000".parse().unwrap()))
        .body(());
    let response = service.oneshot(request.unwrap()).await.unwrap();
    response.status()
}

async fn followed() -> (MemoryLog, Index) {
    let log = MemoryLog::new();
    let index = Index::follow(&log).await.unwrap();
    (log, index)
}
