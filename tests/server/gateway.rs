//! The gateway, in front of the authorization server's API or of one that echoes its requests.

mod connections;
mod feed;
mod fields;
mod hosts;
mod revocation;
mod trailers;

use std::{net::SocketAddr, path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::{
    Method, Request, Response,
    body::{Frame, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{
    events::{goes_on, is_cut},
    http::{C1, C2, Http},
    jwt::forged,
    port::free_port,
    process::{Server, binary, command, folder},
    tls::Front,
};

/// An authorization server with an API, which publishes its keys over TLS.
pub(super) struct World {
    folder: TempDir,
    pub(super) issuer: String,
    server: Server,
    pub(super) http: Http,
}

impl World {
    pub(super) async fn new() -> Self {
        let (folder, data) = folder();
        let front = Front::bind().await;
        let issuer = front.url();
        std::fs::write(folder.path().join("ca.pem"), front.pem()).unwrap();
        let token = folder.path().join("feed-token");
        std::fs::write(&token, "a-token-that-nobody-can-guess\n").unwrap();
        let mut command = command();
        command
            .env("DATA", data)
            .env("FEED_TOKENS", token)
            .env("ISSUER", &issuer)
            // Some tests kill it. No other server gets its port then.
            .env("LISTEN", format!("127.0.0.1:{}", free_port()))
            .arg("--jwt");
        let server = Server::run(command);
        front.serve(server.address.clone());
        let http = Http::to(server.url(""));
        Self {
            folder,
            issuer,
            server,
            http,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a gateway to the API of this server.
    fn gateway(&self) -> (Server, Http) {
        self.gateway_to(&self.server.url(""))
    }

    fn gateway_to(&self, upstream: &str) -> (Server, Http) {
        let gateway = Server::run(self.command_to(upstream));
        let http = Http::to(gateway.url(""));
        (gateway, http)
    }

    fn command_to(&self, upstream: &str) -> Command {
        let mut command = Command::new(binary("gateway"));
        for name in [
            "AUDIENCE",
            "CLIENTS",
            "DATA_EXPECTED",
            "DIALECT",
            "JWKS",
            "LOG",
            "REVOCATION",
        ] {
            command.env_remove(name);
        }
        command
            .env("LISTEN", "127.0.0.1:0")
            .env("DATA", self.path().join("gateway.redb"))
            .env("SSL_CERT_FILE", self.path().join("ca.pem"))
            .env("ISSUER", &self.issuer)
            .env("UPSTREAM", upstream);
        command
    }
}

#[tokio::test]
async fn jwt_revoked_at_the_gateway_is_refused_there_even_after_a_kill() {
    let world = World::new().await;
    let (gateway, http) = world.gateway();
    let (token, other) = (
        world.http.own_token(C1).await,
        world.http.own_token(C1).await,
    );
    let me = http.me(&token).await;
    assert_eq!((me.status.as_u16(), &*me.text("client_id")), (200, C1.id()));
    let (events, mut others) = (http.events(&token).await, http.events(&other).await);

    let response = http.revoke(C1, &token).await;
    assert_eq!((response.status.as_u16(), response.body.len()), (200, 0));
    assert!(is_cut(events).await);
    assert!(goes_on(&mut others).await);
    assert!(http.me(&token).await.is_refused_token());
    gateway.wait_for_log("cut a stream: the token was revoked\n");
    gateway.kill();

    let (_gateway, http) = world.gateway();
    assert!(http.me(&token).await.is_refused_token());
    assert_eq!(http.me(&other).await.status, 200);
    // The API itself does not know of the revocation.
    assert_eq!(world.http.me(&token).await.status, 200);
}

#[tokio::test]
async fn gateway_revokes_neither_foreign_nor_forged_tokens() {
    let world = World::new().await;
    let (_gateway, http) = world.gateway();
    let token = world.http.own_token(C1).await;
    let response = http.revoke(C2, &token).await;
    assert!(response.is_error(400, "invalid_grant"), "{response:?}");
    // It names the same token, but with a wrong signature. The gateway does not recognise it, and
    // cannot be sure that it is not a token of the issuer.
    let old = forged(&issued_an_hour_ago(&token));
    let response = http.revoke(C1, &old).await;
    assert!(
        response.is_error(400, "unsupported_token_type"),
        "{response:?}"
    );
    assert!(http.me(&old).await.is_refused_token());
    // A token as new as the keys may be signed with a newer key.
    let new = forged(&token);
    let response = http.revoke(C1, &new).await;
    assert!(
        response.is_error(503, "temporarily_unavailable"),
        "{response:?}"
    );
    assert!(!response.header("retry-after").is_empty());
    assert_eq!(http.me(&new).await.status, 503);
    assert_eq!(http.me(&token).await.status, 200);

    // Every path needs a token, even if the API does not require one.
    for path in ["/api/me", "/health", "/oauth2/jwks"] {
        let response = http.get(path).await;
        assert_eq!(response.status, 401);
        assert_eq!(response.header("www-authenticate"), "Bearer realm=\"api\"");
    }
}

/// The same token with another date, and so with a wrong signature.
fn issued_an_hour_ago(token: &str) -> String {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a JWT has three parts");
    };
    let mut claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    claims["iat"] = (claims["iat"].as_u64().unwrap() - 3600).into();
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{header}.{claims}.{signature}")
}

/// An API that echoes its requests. For `/gone`, it closes the connection.
async fn echoing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let served =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(tell));
            tokio::spawn(served);
        }
    });
    address
}

async fn tell(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let fields: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| json!([name.as_str(), value.to_str().unwrap()]))
        .collect();
    let received = json!({
        "uri": head.uri.to_string(),
        "fields": fields,
        "body": String::from_utf8_lossy(&body),
    });
    let response = Response::builder()
        .header(header::CONNECTION, "x-secret")
        .header("x-secret", "connection")
        .header("x-public", "message");
    Ok(response.body(received.to_string().into()).unwrap())
}

fn field<'a>(received: &'a Value, name: &str) -> Option<&'a str> {
    let mut fields = received["fields"].as_array().unwrap().iter();
    let field = fields.find(|field| field[0] == name);
    field.map(|field| field[1].as_str().unwrap())
}

#[tokio::test]
async fn fields_about_the_message_pass_and_fields_about_the_connection_do_not() {
    let world = World::new().await;
    let api = echoing().await;
    let (_gateway, http) = world.gateway_to(&format!("http://{api}/v1/"));
    let token = world.http.own_token(C1).await;

    let mut request = http.with_token("/things?a=%2F&b", &token);
    for (name, value) in [
        ("connection", "close, x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("upgrade", "websocket"),
        ("proxy-authorization", "Basic c2VjcmV0"),
        ("x-end", "1"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    *request.body_mut() = "some thing".into();
    let response = http.try_send(request).await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.header("x-public"), "message");
    assert_eq!(response.header("x-secret"), "");

    let received = response.json();
    assert_eq!(received["uri"], "/v1/things?a=%2F&b");
    assert_eq!(received["body"], "some thing");
    assert_eq!(field(&received, "x-end"), Some("1"));
    assert_eq!(field(&received, "host"), Some(&*api.to_string()));
    let passed = field(&received, "authorization").unwrap();
    assert!(passed == format!("Bearer {token}"), "the token must pass");
    // The gateway sets it.
    assert_eq!(field(&received, "te"), Some("trailers"));
    for name in ["x-hop", "upgrade", "proxy-authorization"] {
        assert_eq!(field(&received, name), None);
    }
}

#[tokio::test]
async fn bodies_are_streamed_over_both_versions_of_http() {
    let world = World::new().await;
    let api = echoing().await;
    let (_gateway, http) = world.gateway_to(&format!("http://{api}"));
    let token = world.http.own_token(C1).await;
    for http2 in [false, true] {
        let client: Client<HttpConnector, _> = Client::builder(TokioExecutor::new())
            .http2_only(http2)
            .build_http();
        let parts = ["a", "thing", "in", "parts"].map(|part| Ok::<_, hyper::Error>(part.into()));
        let parts = parts.map(|part: Result<Bytes, _>| part.map(Frame::data));
        let mut request = http
            .with_token("/things", &token)
            .map(|_| StreamBody::new(stream::iter(parts)));
        *request.method_mut() = Method::POST;
        let response = client.request(request).await.unwrap();
        let received = response.into_body().collect().await.unwrap().to_bytes();
        let received: Value = serde_json::from_slice(&received).unwrap();
        assert_eq!(received["body"], "athinginparts");
        assert_eq!(field(&received, "content-length"), None);
    }
}

#[tokio::test]
async fn unreachable_api_is_502_and_unreachable_keys_are_503() {
    let world = World::new().await;
    let upstream = format!("http://127.0.0.1:{}", free_port());
    let (gateway, http) = world.gateway_to(&upstream);
    let token = world.http.own_token(C1).await;
    assert_eq!(http.me(&token).await.status, 502);
    gateway.kill();

    // The gateway has no keys yet, and their server has gone.
    let (_gateway, http) = world.gateway();
    world.server.kill();
    let response = http.me(&token).await;
    assert_eq!(response.status, 503);
    assert!(response.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(http.revoke(C1, &token).await.status, 503);
}
