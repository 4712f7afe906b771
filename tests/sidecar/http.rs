//! An HTTP client.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, body::Incoming, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

use super::process::TIMEOUT;

#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) base: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether the token is refused (RFC 6750 §3.1).
    pub(crate) fn is_refused(&self) -> bool {
        let challenge = self.header("www-authenticate");
        self.status == 401 && challenge.contains("error=\"invalid_token\"")
    }
}

impl Http {
    pub(crate) fn to(base: String) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, base }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
    }

    /// `None` if the server is gone.
    pub(crate) async fn try_send(&self, request: Request<Full<Bytes>>) -> Option<Answer> {
        let answered = async {
            let (head, body) = self.client.request(request).await.ok()?.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some(Answer {
                status: head.status,
                headers: head.headers,
                text: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        timeout(TIMEOUT, answered).await.expect("an answer in time")
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.expect("the server is there")
    }

    /// A response whose body goes on.
    pub(crate) async fn open(&self, path: &str, token: &str) -> Response<Incoming> {
        let request = self
            .request(Method::GET, path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::default())
            .unwrap();
        let response = timeout(TIMEOUT, self.client.request(request)).await;
        response.expect("an answer in time").unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).body(Full::default());
        self.send(request.unwrap()).await
    }

    /// `None` if the server is gone.
    pub(crate) async fn try_get_with(&self, path: &str, token: &str) -> Option<Answer> {
        let request = self
            .request(Method::GET, path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Full::default());
        self.try_send(request.unwrap()).await
    }

    pub(crate) async fn get_with(&self, path: &str, token: &str) -> Answer {
        let answer = self.try_get_with(path, token).await;
        answer.expect("the server is there")
    }

    /// `None` if the server is gone.
    pub(crate) async fn try_revoke(&self, client: (&str, &str), token: &str) -> Option<Answer> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};

        let (id, secret) = client;
        let basic = STANDARD.encode(format!("{id}:{secret}"));
        let form = serde_urlencoded::to_string([("token", token)]).unwrap();
        let request = self
            .request(Method::POST, "/oauth2/revoke")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .body(Full::from(form));
        self.try_send(request.unwrap()).await
    }

    pub(crate) async fn revoke(&self, client: (&str, &str), token: &str) -> Answer {
        let answer = self.try_revoke(client, token).await;
        answer.expect("the server is there")
    }
}
