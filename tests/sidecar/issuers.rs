//! Several issuers, and tokens that only an introspection endpoint knows.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, header};
use serde_json::{Value, json};
use tower::service_fn;
use tower_revocation::{log::NumericDate, test_util::TestIssuer};

use super::{
    http::Http,
    port::free_port,
    process::{Sidecar, output, program},
    world::{SHOP, World, bind, serve},
};

/// An introspection endpoint. `opaque-…` are tokens of `alice`, and `refresh-…` are refresh tokens,
/// unless it knows refresh tokens by another name.
pub(crate) struct Endpoint {
    url: String,
    is_down: Arc<AtomicBool>,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        Self::with_refresh_tokens("refresh").await
    }

    async fn with_refresh_tokens(named: &'static str) -> Self {
        let (listener, base) = bind().await;
        let is_down = Arc::new(AtomicBool::new(false));
        let down = is_down.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let down = down.clone();
            async move {
                let (head, body) = request.into_parts();
                // sidecar:hunter2
                let is_known = head
                    .headers
                    .get(header::AUTHORIZATION)
                    .is_some_and(|field| field == "Basic c2lkZWNhcjpodW50ZXIy");
                let body = body.collect().await.unwrap().to_bytes();
                let form: Vec<(String, String)> = serde_urlencoded::from_bytes(&body).unwrap();
                let token = form.iter().find(|(name, _)| name == "token").unwrap();
                let mut response =
                    Response::new(Full::from(introspected(&token.1, named)).boxed_unsync());
                let kind = header::HeaderValue::from_static("application/json");
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                if down.load(Relaxed) {
                    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                } else if !is_known {
                    *response.status_mut() = StatusCode::UNAUTHORIZED;
                }
                Ok(response)
            }
        });
        serve(listener, service);
        Self {
            url: format!("{base}/introspect"),
            is_down,
        }
    }

    pub(crate) fn section(&self, world: &World, more: &str) -> String {
        let secret = world.write("secret", "hunter2\n");
        let url = &self.url;
        format!(
            "introspection = {{ url = {url:?}, client_id = \"sidecar\", secret_file = {secret:?}{more} }}\n"
        )
    }
}

fn introspected(token: &str, refresh_token: &str) -> String {
    let now = NumericDate::now().seconds();
    let kind = match token.split('-').next() {
        Some("opaque") => "Bearer",
        Some(name) if name == refresh_token => "refresh_token",
        _ => return json!({ "active": false }).to_string(),
    };
    let claims = json!({
        "active": true,
        "client_id": SHOP.0,
        "sub": "alice",
        "sid": "session-1",
        "aud": TestIssuer::AUDIENCE,
        "token_type": kind,
        "iat": now - 5,
        "exp": now + 300,
    });
    claims.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opaque_tokens_are_those_of_the_endpoint() {
    let world = World::new().await;
    let endpoint = Endpoint::start().await;
    let issuer = format!("audience = \"{}\"\n", TestIssuer::AUDIENCE);
    let with = format!(
        "{issuer}dialect = \"opaque\"\n{}",
        endpoint.section(&world, ", knows_all_tokens = true")
    );
    let text = world.config(&world.terminate()).replace(&issuer, &with);
    let sidecar = Sidecar::start(&world.write("config.toml", &text));
    let http = Http::to(sidecar.url("gateway.listen"));
    assert_eq!(http.get_with("/", "opaque-1").await.text, "/ alice ");
    assert!(http.get_with("/", "unknown").await.is_refused());
    // A refresh token opens nothing.
    assert!(http.get_with("/", "refresh-1").await.is_refused());
    assert_eq!(http.revoke(SHOP, "opaque-1").await.status, 200);
    assert!(http.get_with("/", "opaque-1").await.is_refused());
    assert_eq!(http.get_with("/", "opaque-2").await.status, 200);
    // The endpoint knows all tokens, so one that it does not know is none.
    assert_eq!(http.revoke(SHOP, "unknown").await.status, 200);

    endpoint.is_down.store(true, Relaxed);
    assert_eq!(http.get_with("/", "opaque-3").await.status, 503);
    assert_eq!(http.revoke(SHOP, "opaque-3").await.status, 503);
    // A wrong secret is "could not find out" too.
    endpoint.is_down.store(false, Relaxed);
    world.write("secret", "another");
    sidecar.wait_for("the configuration was read again");
    assert_eq!(http.get_with("/", "opaque-4").await.status, 503);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_token_that_the_endpoint_knows_ends_its_session() {
    let world = World::new().await;
    let endpoint = Endpoint::start().await;
    let issuer = format!("audience = \"{}\"\n", TestIssuer::AUDIENCE);
    let with = format!("{issuer}{}", endpoint.section(&world, ""));
    let text = world.config(&world.terminate()).replace(&issuer, &with);
    let sidecar = Sidecar::start(&world.write("config.toml", &text));
    let http = Http::to(sidecar.url("gateway.listen"));
    let of_session = |sid: &str| world.issuer.token().client(SHOP.0).session(sid).sign();
    let (token, other) = (of_session("session-1"), of_session("session-2"));
    assert_eq!(http.revoke(SHOP, "refresh-1").await.status, 200);
    assert!(http.get_with("/", &token).await.is_refused());
    assert_eq!(http.get_with("/", &other).await.status, 200);
    // Nobody says that the endpoint knows all tokens.
    let unknown = http.revoke(SHOP, "unknown").await;
    assert_eq!(unknown.json()["error"], "unsupported_token_type");
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subject_of_one_issuer_is_nobody_at_another() {
    let world = World::new().await;
    let second = TestIssuer::new("https://second.test");
    let keys = world.write("keys.json", &second.jwks());
    let sidecar = world.start(&format!(
        "[[issuer]]\nurl = \"https://second.test\"\naudience = {:?}\njwks_file = {keys:?}\n",
        TestIssuer::AUDIENCE
    ));
    let http = Http::to(sidecar.url("gateway.listen"));
    let (first, other) = (world.token(), second.token().subject("alice").sign());
    let revoke = |issuer: &[&str]| {
        let mut command = program();
        command.args(["revoke", "--subject", "alice"]).args(issuer);
        let output = output(command.arg("--socket").arg(world.path("admin.sock")), "");
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, line) = revoke(&[]);
    assert_eq!(code, Some(1), "{line}");
    assert_eq!(revoke(&["--issuer", "https://second.test"]).0, Some(0));
    assert!(http.get_with("/", &other).await.is_refused());
    assert_eq!(http.get_with("/", &first).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuer_that_is_down_is_503_for_its_own_tokens_only() {
    let world = World::new().await;
    let url = format!("http://127.0.0.1:{}", free_port());
    let away = TestIssuer::new(&*url);
    let sections = format!(
        "[[issuer]]\nurl = \"{url}\"\naudience = {:?}\n",
        TestIssuer::AUDIENCE
    );
    let config = world.write("config.toml", &world.config(&sections));
    let sidecar = Sidecar::begin(&config);
    let admin = Http::to(sidecar.url("admin.listen"));
    let http = Http::to(sidecar.url("gateway.listen"));
    let missing = |ready: &Value| ready["reasons"][0]["part"] == *url;
    while !missing(&admin.get("/readyz").await.json()) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(http.get_with("/", &world.token()).await.status, 200);
    assert_eq!(http.get_with("/", &away.token().sign()).await.status, 503);
    sidecar.end();
}

/// A second issuer, whose keys are in a file.
pub(crate) fn second_issuer(world: &World, endpoint: &str) -> (TestIssuer, String) {
    let second = TestIssuer::new("https://second.test");
    let keys = world.write("keys.json", &second.jwks());
    let section = format!(
        "[[issuer]]\nurl = \"https://second.test\"\naudience = {:?}\njwks_file = {keys:?}\n{endpoint}",
        TestIssuer::AUDIENCE
    );
    (second, section)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_issuer_is_asked_about_a_token_that_names_none() {
    let world = World::new().await;
    let first = Endpoint::start().await;
    let second = Endpoint::with_refresh_tokens("second").await;
    let all = ", knows_all_tokens = true";
    let audience = format!("audience = \"{}\"\n", TestIssuer::AUDIENCE);
    let with = format!("{audience}{}", first.section(&world, all));
    let text = world
        .config(&world.terminate())
        .replacen(&audience, &with, 1);
    let (other, section) = second_issuer(&world, &second.section(&world, all));
    world.register(&[json!({
        "client_id": SHOP.0,
        "client_secret": SHOP.1,
        "issuers": [world.issuer.issuer(), other.issuer()],
    })]);
    let config = world.write("config.toml", &format!("{text}{section}"));
    let sidecar = Sidecar::start(&config);
    let http = Http::to(sidecar.url("gateway.listen"));
    let of = |issuer: &TestIssuer| issuer.token().client(SHOP.0).session("session-1").sign();
    let (token, of_other) = (of(&world.issuer), of(&other));

    // The session ends at the issuer whose refresh token it is.
    assert_eq!(http.revoke(SHOP, "second-1").await.status, 200);
    assert!(http.get_with("/", &of_other).await.is_refused());
    assert_eq!(http.get_with("/", &token).await.status, 200);
    // Both were asked, and neither knows it.
    assert_eq!(http.revoke(SHOP, "unknown").await.status, 200);

    // It may be a token of the one that does not answer, unless the other one knows it.
    second.is_down.store(true, Relaxed);
    assert_eq!(http.revoke(SHOP, "unknown-too").await.status, 503);
    assert_eq!(http.revoke(SHOP, "second-2").await.status, 503);
    assert_eq!(http.revoke(SHOP, "refresh-1").await.status, 200);
    assert!(http.get_with("/", &token).await.is_refused());
    sidecar.end();
}
