//! Registered clients at the endpoint.

mod basic;
mod methods;
mod refusals;
mod secrets;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{HeaderMap, Request, Response, StatusCode};
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};
use tower_revocation::{
    Error, Outcome, RevocationLayer, RevocationRequest, Secret,
    client::{
        Refusal, SecretDigest,
        registry::{Client, ClientAuthenticator, Clients, Registry},
    },
};

/// `s6BhdRkqt3` / `gX1fBat3bV`, as in RFC 7009 §2.1.
const EXAMPLE: &str = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW";

#[derive(Debug, PartialEq)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// The reason, which the response does not show.
    refusal: Option<Refusal>,
}

impl Reply {
    /// Everything that the peer can see.
    fn visible(&self) -> (StatusCode, &HeaderMap, &Bytes) {
        (self.status, &self.headers, &self.body)
    }
}

/// One revocation through the layer. The backend returns `Revoked` for every request that reaches
/// it, so the status comes from the authenticator.
async fn revoke<L>(
    authenticator: &ClientAuthenticator<L>,
    authorization: Option<&str>,
    body: &str,
) -> Reply
where
    L: Clients + Clone + Send + Sync + 'static,
{
    let backend =
        service_fn(async |_: RevocationRequest<Arc<Client>>| Ok::<_, BoxError>(Outcome::Revoked));
    let inner = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
    });
    let service = RevocationLayer::new("/revoke", authenticator.clone(), backend).layer(inner);

    let mut request = Request::post("/revoke")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(body.to_owned()))
        .unwrap();
    if let Some(authorization) = authorization {
        let value = authorization.parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    Reply {
        refusal: head.extensions.get::<Error>().and_then(Error::refusal),
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// The status of a revocation with Basic.
async fn by_basic(clients: &Registry, authorization: &str) -> u16 {
    let authenticator = ClientAuthenticator::new(clients.clone());
    let response = revoke(&authenticator, Some(authorization), "token=rt1").await;
    response.status.as_u16()
}

/// The status of a revocation with these members in the body.
async fn by_body(clients: &Registry, body: &str) -> u16 {
    let authenticator = ClientAuthenticator::new(clients.clone());
    let response = revoke(&authenticator, None, &format!("token=rt1&{body}")).await;
    response.status.as_u16()
}

/// Sent raw.
fn raw(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

fn digest(secret: &str) -> SecretDigest {
    SecretDigest::sha256(&Secret::new(secret))
}

fn hours(hours: i64) -> SystemTime {
    let distance = Duration::from_secs(hours.unsigned_abs() * 60 * 60);
    if hours < 0 {
        SystemTime::now() - distance
    } else {
        SystemTime::now() + distance
    }
}

fn example() -> Client {
    Client::confidential("s6BhdRkqt3", digest("gX1fBat3bV"))
}

fn only(client: Client) -> Registry {
    Registry::from_iter([client])
}

/// Form-encoded first (RFC 6749 §2.3.1).
fn encoded(client_id: &str, secret: &str) -> String {
    let encode = |text| serde_urlencoded::to_string([("", text)]).unwrap()[1..].to_owned();
    raw(&encode(client_id), &encode(secret))
}
