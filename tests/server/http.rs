//! An HTTP client.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, Response, StatusCode, body::Incoming, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

use super::process::TIMEOUT;

/// The demo clients of the example.
pub(crate) const C1: Credentials = Credentials::Basic("s6BhdRkqt3", "gX1fBat3bV");
pub(crate) const C2: Credentials = Credentials::Basic("c2", "s3cr3t-two");
pub(crate) const POST: Credentials = Credentials::Post("post-client", "p0st");
pub(crate) const SPA: Credentials = Credentials::Public("spa-1");
pub(crate) const SPA2: Credentials = Credentials::Public("spa-2");

/// The client that sends a request, and its authentication.
#[derive(Clone, Copy)]
pub(crate) enum Credentials {
    Basic(&'static str, &'static str),
    Post(&'static str, &'static str),
    Public(&'static str),
    None,
}

impl Credentials {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Basic(id, _) | Self::Post(id, _) | Self::Public(id) => id,
            Self::None => "",
        }
    }
}

#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

#[derive(Debug)]
pub(crate) struct FullResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl FullResponse {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        let json = self.json();
        json[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Whether the response refuses the token (RFC 6750 §3.1).
    pub(crate) fn is_refused_token(&self) -> bool {
        let challenge = self.header("www-authenticate");
        self.status == 401 && challenge.contains("error=\"invalid_token\"")
    }

    pub(crate) fn is_error(&self, status: u16, code: &str) -> bool {
        self.status == status && self.json()["error"] == code
    }
}

impl Http {
    pub(crate) fn to(base: String) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, base }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Returns `None` if the server has gone.
    pub(crate) async fn try_send(&self, request: Request<Full<Bytes>>) -> Option<FullResponse> {
        let response = async {
            let (head, body) = self.client.request(request).await.ok()?.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some(FullResponse {
                status: head.status,
                headers: head.headers,
                body,
            })
        };
        timeout(TIMEOUT, response)
            .await
            .expect("a complete response in time")
    }

    pub(crate) async fn try_post(
        &self,
        path: &str,
        credentials: Credentials,
        parameters: &[(&str, &str)],
    ) -> Option<FullResponse> {
        let mut parameters = parameters.to_vec();
        let mut request = Request::post(format!("{}{path}", self.base))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match credentials {
            Credentials::Basic(id, secret) => {
                let credentials = STANDARD.encode(format!("{id}:{secret}"));
                request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
            }
            Credentials::Post(id, secret) => {
                parameters.extend([("client_id", id), ("client_secret", secret)]);
            }
            Credentials::Public(id) => parameters.push(("client_id", id)),
            Credentials::None => {}
        }
        let body = serde_urlencoded::to_string(parameters).unwrap();
        self.try_send(request.body(Full::from(body)).unwrap()).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        credentials: Credentials,
        parameters: &[(&str, &str)],
    ) -> FullResponse {
        self.try_post(path, credentials, parameters)
            .await
            .expect("the server responds")
    }

    pub(crate) async fn get(&self, path: &str) -> FullResponse {
        let request = Request::get(format!("{}{path}", self.base))
            .body(Full::default())
            .unwrap();
        self.try_send(request).await.expect("the server responds")
    }

    /// Requests `/api/me` with a token.
    pub(crate) async fn me(&self, token: &str) -> FullResponse {
        let request = self.with_token("/api/me", token);
        self.try_send(request).await.expect("the server responds")
    }

    /// Requests `/api/events` with a token, and reads the first event.
    pub(crate) async fn events(&self, token: &str) -> Response<Incoming> {
        let request = self.with_token("/api/events", token);
        let mut events = self.client.request(request).await.unwrap();
        let first = timeout(TIMEOUT, events.frame()).await;
        let first = first.expect("an event in time").expect("an event").unwrap();
        assert_eq!(first.into_data().unwrap(), "event: tick\ndata: 0\n\n");
        events
    }

    pub(crate) fn with_token(&self, path: &str, token: &str) -> Request<Full<Bytes>> {
        Request::get(self.url(path))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::default())
            .unwrap()
    }

    /// Gets an access token by `client_credentials`.
    pub(crate) async fn own_token(&self, credentials: Credentials) -> String {
        let parameters = [("grant_type", "client_credentials")];
        let response = self.post("/oauth2/token", credentials, &parameters).await;
        response.text("access_token")
    }

    pub(crate) async fn revoke(&self, credentials: Credentials, token: &str) -> FullResponse {
        self.post("/oauth2/revoke", credentials, &[("token", token)])
            .await
    }

    pub(crate) async fn refresh(&self, credentials: Credentials, token: &str) -> FullResponse {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/oauth2/token", credentials, &parameters).await
    }

    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let response = self
            .post("/oauth2/introspect", C1, &[("token", token)])
            .await;
        response.json()["active"].as_bool().unwrap()
    }

    /// Gets an authorization code for alice, with the verifier of RFC 7636 §B.
    pub(crate) async fn code(&self, credentials: Credentials) -> String {
        let response = self.get(&authorize(credentials, &[])).await;
        redirect_parameter(&response, "code").unwrap_or_else(|| panic!("{response:?}"))
    }

    pub(crate) async fn redeem(&self, credentials: Credentials, code: &str) -> FullResponse {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        self.post("/oauth2/token", credentials, &parameters).await
    }

    /// Gets an access token and a refresh token of a new grant.
    pub(crate) async fn tokens(&self, credentials: Credentials) -> (String, String) {
        let code = self.code(credentials).await;
        let response = self.redeem(credentials, &code).await;
        (
            response.text("access_token"),
            response.text("refresh_token"),
        )
    }
}

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:4711/callback";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The path of an authorization request. Replaces some of its parameters.
pub(crate) fn authorize(credentials: Credentials, replaced: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", credentials.id()),
        ("redirect_uri", REDIRECT_URI),
        ("state", "xyz"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    parameters.retain(|(name, _)| replaced.iter().all(|(other, _)| other != name));
    parameters.extend(replaced);
    format!(
        "/oauth2/authorize?{}",
        serde_urlencoded::to_string(parameters).unwrap()
    )
}

/// A parameter of the URL that a response redirects to.
pub(crate) fn redirect_parameter(response: &FullResponse, name: &str) -> Option<String> {
    let (_, query) = response.header("location").split_once('?')?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
    pairs
        .into_iter()
        .find_map(|(other, value)| (other == name).then_some(value))
}
