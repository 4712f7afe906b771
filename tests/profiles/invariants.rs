//! What no profile changes: each test tries every profile whose calls have one form. Those of Vault and
//! of super clients of Kustvakt are in [`holders`](crate::holders).

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{Request, Response};
use hyper_util::rt::TokioTimer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tower::{BoxError, Layer as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Error, ErrorKind, Outcome, RevocationLayer, RevocationRequest,
    client::Credentials,
    profiles::{
        Apigee, Auth0, BoxPlatform, Cognito, CognitoApi, Connect2id, GitHub, Kustvakt, Okta,
        PingAm, Possession, Profile, ProfileLayer, Salesforce, Square, Wso2,
    },
};

use crate::world::{Endpoint, World};

const FORM: &str = "POST /profile HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\n";
const JSON: &str = "POST /profile HTTP/1.1\nContent-Type: application/json\n\n";

/// A profile at `/profile`, and a call to revoke a token with it.
struct Case {
    name: &'static str,
    call: fn(token: &str, secret: &str) -> String,
    serve: fn(&World, Endpoint) -> BoxFuture<'_, SocketAddr>,
    /// Whether it authenticates a client.
    has_client: bool,
}

async fn serve<P: Profile>(world: &World, profile: P, endpoint: Endpoint) -> SocketAddr {
    let layer = ProfileLayer::new("/profile", profile, endpoint)
        .timer(TokioTimer::new())
        .body_timeout(Duration::from_millis(300))
        .max_body(4096);
    world.serve(|resource| layer.layer(resource)).await
}

fn form(token: &str, secret: &str) -> String {
    format!("{FORM}client_id=app&client_secret={secret}&token={token}")
}

fn cases() -> Vec<Case> {
    macro_rules! case {
        ($name:literal, $profile:expr, $call:expr) => {
            case!($name, $profile, $call, true)
        };
        ($name:literal, $profile:expr, $call:expr, $has_client:expr) => {
            Case {
                name: $name,
                call: $call,
                serve: |world, endpoint| Box::pin(serve(world, $profile, endpoint)),
                has_client: $has_client,
            }
        };
    }
    vec![
        case!("connect2id", Connect2id::new(), form),
        case!("wso2", Wso2::new().echo_digests(true), form),
        case!(
            "wso2 foreign",
            Wso2::new().foreign_tokens_as_wso2(true),
            form
        ),
        case!("kustvakt", Kustvakt::new(), form),
        case!("auth0", Auth0::new(), |token, secret| format!(
            r#"{JSON}{{"client_id":"app","client_secret":"{secret}","token":"{token}"}}"#
        )),
        case!("cognito", Cognito, form),
        case!("cognito api", CognitoApi, |token, secret| format!(
            "POST /profile HTTP/1.1\nContent-Type: application/x-amz-json-1.1\n\
             X-Amz-Target: AWSCognitoIdentityProviderService.RevokeToken\n\n\
             {{\"ClientId\":\"app\",\"ClientSecret\":\"{secret}\",\"Token\":\"{token}\"}}"
        )),
        case!("okta", Okta, form),
        case!("box", BoxPlatform, form),
        case!("pingam", PingAm, form),
        case!("github", GitHub, |token, secret| {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            let basic = STANDARD.encode(format!("app:{secret}"));
            format!(
                "DELETE /profile/app/grant HTTP/1.1\nAuthorization: Basic {basic}\n\n\
                 {{\"access_token\":\"{token}\"}}"
            )
        }),
        case!("square", Square, |token, secret| format!(
            "POST /profile HTTP/1.1\nAuthorization: Client {secret}\nContent-Type: application/json\n\n\
             {{\"client_id\":\"app\",\"access_token\":\"{token}\"}}"
        )),
        case!(
            "salesforce",
            Salesforce::new().strict(true),
            |token, _| format!("{FORM}token={token}"),
            false
        ),
        case!("apigee", Apigee, |token, secret| format!(
            "{}&cascade=true",
            form(token, secret)
        )),
        // Orders name no token. They are about the tokens of the client for `ann`.
        case!("square order", Square, |token, secret| format!(
            "POST /profile HTTP/1.1\nAuthorization: Client {secret}\nContent-Type: application/json\n\n\
             {{\"client_id\":\"app\",\"merchant_id\":\"ann\",\"ignored\":\"{token}\"}}"
        )),
        case!("apigee order", Apigee, |token, secret| format!(
            "{FORM}client_id=app&client_secret={secret}&end_user_id=ann&ignored={token}"
        )),
    ]
}

fn world() -> World {
    World::default()
        .client("app", "secret-of-the-app")
        .family("token-of-the-app", "access-of-the-app", "app")
        .family("token-of-another", "access-of-another", "other")
}

impl Case {
    /// A server whose endpoint knows the tokens of the world.
    async fn real(&self, world: &World) -> SocketAddr {
        let endpoint = if self.has_client {
            world.endpoint()
        } else {
            world.endpoint_of(Possession)
        };
        (self.serve)(world, endpoint).await
    }

    /// A server whose backend returns an error.
    async fn failing(&self, world: &World, kind: ErrorKind) -> SocketAddr {
        let backend = service_fn(move |_: RevocationRequest<&'static str>| async move {
            Err::<Outcome, BoxError>(Error::new(kind).retry_after(Duration::from_secs(7)).into())
        });
        let authenticator =
            service_fn(async |_: hyper::Request<Credentials>| Ok::<_, BoxError>(Some("app")));
        let endpoint = RevocationLayer::new("/", authenticator, backend).into_endpoint();
        (self.serve)(world, BoxCloneSyncService::new(endpoint)).await
    }
}

async fn send(server: SocketAddr, request: &str) -> String {
    let (head, body) = request.split_once("\n\n").unwrap();
    let head = head.replace('\n', "\r\n");
    let raw = format!(
        "{head}\r\nHost: server.test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    send_raw(server, &raw).await
}

async fn send_raw(server: SocketAddr, raw: &str) -> String {
    let mut connection = TcpStream::connect(server).await.unwrap();
    connection.write_all(raw.as_bytes()).await.unwrap();
    let mut seen = String::new();
    connection.read_to_string(&mut seen).await.unwrap();
    seen
}

async fn is_live(server: SocketAddr, token: &str) -> bool {
    let request = format!("GET /resource HTTP/1.1\nAuthorization: Bearer {token}\n\n");
    send(server, &request).await.starts_with("HTTP/1.1 200")
}

#[track_caller]
fn assert_status(seen: &str, status: u16, name: &str) {
    assert!(
        seen.starts_with(&format!("HTTP/1.1 {status} ")),
        "{name}: {seen}"
    );
    assert!(
        seen.contains("\r\ncache-control: no-store\r\n"),
        "{name}: {seen}"
    );
}

#[tokio::test]
async fn own_token_is_revoked() {
    for case in cases() {
        let server = case.real(&world()).await;
        assert!(is_live(server, "access-of-the-app").await);
        let seen = send(
            server,
            &(case.call)("token-of-the-app", "secret-of-the-app"),
        )
        .await;
        assert!(seen.starts_with("HTTP/1.1 20"), "{}: {seen}", case.name);
        assert!(!is_live(server, "access-of-the-app").await, "{}", case.name);
    }
}

#[tokio::test]
async fn token_of_another_client_lives() {
    for case in cases().into_iter().filter(|case| case.has_client) {
        let server = case.real(&world()).await;
        send(
            server,
            &(case.call)("token-of-another", "secret-of-the-app"),
        )
        .await;
        assert!(is_live(server, "access-of-another").await, "{}", case.name);
    }
}

#[tokio::test]
async fn wrong_secret_is_no_success_and_revokes_nothing() {
    for case in cases().into_iter().filter(|case| case.has_client) {
        let server = case.real(&world()).await;
        for token in ["token-of-the-app", "unknown"] {
            let seen = send(server, &(case.call)(token, "wrong")).await;
            assert!(seen.starts_with("HTTP/1.1 40"), "{}: {seen}", case.name);
        }
        assert!(is_live(server, "access-of-the-app").await, "{}", case.name);
    }
}

#[tokio::test]
async fn unknown_state_is_503_with_a_delay() {
    for case in cases().into_iter().filter(|case| case.has_client) {
        let server = case.failing(&world(), ErrorKind::Unavailable).await;
        let seen = send(
            server,
            &(case.call)("token-of-the-app", "secret-of-the-app"),
        )
        .await;
        assert_status(&seen, 503, case.name);
        assert!(
            seen.contains("\r\nretry-after: 7\r\n"),
            "{}: {seen}",
            case.name
        );
    }
}

/// No page can read another status of a script (RFC 7009 §2.3).
#[tokio::test]
async fn script_has_the_status_200_for_an_unknown_state_too() {
    let case = Case {
        name: "wso2 with a callback",
        call: |token, secret| format!("{}&callback=done", form(token, secret)),
        serve: |world, endpoint| {
            let profile = Wso2::new().dangerously_allow_jsonp(true);
            Box::pin(serve(world, profile, endpoint))
        },
        has_client: true,
    };
    let server = case.failing(&world(), ErrorKind::Unavailable).await;
    let call = (case.call)("token-of-the-app", "secret-of-the-app");
    let seen = send(server, &call).await;
    assert_status(&seen, 200, case.name);
    let script = "\r\n\r\n/**/done({\"error\":\"temporarily_unavailable\"});";
    assert!(seen.ends_with(script), "{seen}");
}

#[tokio::test]
async fn too_many_attempts_are_429_and_a_defect_is_500() {
    for case in cases().into_iter().filter(|case| case.has_client) {
        for (kind, status) in [
            (ErrorKind::TooManyRequests, 429),
            (ErrorKind::ServerError, 500),
        ] {
            let server = case.failing(&world(), kind).await;
            let seen = send(
                server,
                &(case.call)("token-of-the-app", "secret-of-the-app"),
            )
            .await;
            assert_status(&seen, status, case.name);
        }
    }
}

/// The endpoint is another service by mistake.
#[tokio::test]
async fn success_that_says_nothing_of_the_token_is_500() {
    for case in cases() {
        let endpoint = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::default()))
        });
        let server = (case.serve)(&world(), BoxCloneSyncService::new(endpoint)).await;
        let seen = send(
            server,
            &(case.call)("token-of-the-app", "secret-of-the-app"),
        )
        .await;
        assert_status(&seen, 500, case.name);
    }
}

#[tokio::test]
async fn response_never_repeats_the_token_or_the_secret() {
    for case in cases() {
        let server = case.real(&world()).await;
        for (token, secret) in [
            ("token-of-another", "secret-of-the-app"),
            ("token-of-the-app", "a-wrong-secret"),
            ("no-such-token", "secret-of-the-app"),
            ("token-of-the-app", "secret-of-the-app"),
        ] {
            let seen = send(server, &(case.call)(token, secret)).await;
            assert!(
                !seen.contains(token) && !seen.contains(secret),
                "{}: {seen}",
                case.name
            );
        }
    }
}

#[tokio::test]
async fn other_method_is_405_and_names_the_right_one() {
    for case in cases() {
        let server = case.real(&world()).await;
        let call = (case.call)("token-of-the-app", "secret-of-the-app");
        let (method, rest) = call.split_once(' ').unwrap();
        for other in ["GET", "PUT", "PATCH"] {
            let seen = send(server, &format!("{other} {rest}")).await;
            assert_status(&seen, 405, case.name);
            let allow = format!("\r\nallow: {method}, OPTIONS\r\n");
            assert!(seen.contains(&allow), "{}: {seen}", case.name);
        }
        let seen = send(server, &format!("OPTIONS {rest}")).await;
        assert_status(&seen, 204, case.name);
        assert!(is_live(server, "access-of-the-app").await, "{}", case.name);
    }
}

#[tokio::test]
async fn token_in_the_query_is_refused() {
    for case in cases() {
        let server = case.real(&world()).await;
        let call = (case.call)("token-of-the-app", "secret-of-the-app");
        for name in ["token", "client_secret"] {
            let (start, end) = call.split_once(" HTTP/1.1").unwrap();
            let call = format!("{start}?{name}=token-of-the-app HTTP/1.1{end}");
            let seen = send(server, &call).await;
            assert!(seen.starts_with("HTTP/1.1 4"), "{}: {seen}", case.name);
        }
        assert!(is_live(server, "access-of-the-app").await, "{}", case.name);
    }
}

#[tokio::test]
async fn long_body_is_413_and_a_compressed_one_415() {
    for case in cases() {
        let server = case.real(&world()).await;
        let long = (case.call)(&"t".repeat(5000), "secret-of-the-app");
        let seen = send(server, &long).await;
        assert_status(&seen, 413, case.name);
        let call = (case.call)("token-of-the-app", "secret-of-the-app");
        let call = call.replacen("HTTP/1.1\n", "HTTP/1.1\nContent-Encoding: gzip\n", 1);
        let seen = send(server, &call).await;
        assert_status(&seen, 415, case.name);
        assert!(is_live(server, "access-of-the-app").await, "{}", case.name);
    }
}

#[tokio::test]
async fn body_that_stalls_is_408() {
    for case in cases() {
        let server = case.real(&world()).await;
        let call = (case.call)("token-of-the-app", "secret-of-the-app");
        let (head, _) = call.split_once("\n\n").unwrap();
        let head = head.replace('\n', "\r\n");
        let raw = format!("{head}\r\nHost: a\r\nContent-Length: 99\r\n\r\ntoken=");
        let seen = send_raw(server, &raw).await;
        assert_status(&seen, 408, case.name);
    }
}

#[tokio::test]
async fn other_paths_reach_the_inner_service() {
    for case in cases() {
        let server = case.real(&world()).await;
        for path in ["/profile/", "/profile/other", "/profiles", "/PROFILE", "/"] {
            let request =
                format!("GET {path} HTTP/1.1\nAuthorization: Bearer access-of-the-app\n\n");
            let seen = send(server, &request).await;
            assert!(
                seen.starts_with("HTTP/1.1 200"),
                "{} {path}: {seen}",
                case.name
            );
        }
    }
}

#[tokio::test]
async fn hook_that_fails_is_503_although_the_token_is_revoked() {
    let world = world();
    let hook = service_fn(async |_| Err::<(), BoxError>("the database is away".into()));
    let layer = ProfileLayer::new("/profile", Kustvakt::new(), world.endpoint());
    let layer = layer.after_revocation(hook);
    let server = world.serve(|resource| layer.layer(resource)).await;
    let seen = send(server, &form("token-of-the-app", "secret-of-the-app")).await;
    assert_status(&seen, 503, "kustvakt");
    assert!(seen.contains("\r\nretry-after: "), "{seen}");
    assert!(!seen.contains("database"), "{seen}");
    assert!(!is_live(server, "access-of-the-app").await);
}

#[tokio::test]
async fn hook_is_called_although_the_client_has_disconnected() {
    let world = world();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let hook = service_fn(move |_| {
        let sender = sender.clone();
        async move { sender.send(()).map_err(BoxError::from) }
    });
    let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
    let (go, gone) = tokio::sync::watch::channel(false);
    let inner = world.endpoint();
    let endpoint = service_fn(move |request: Request<Full<Bytes>>| {
        let (inner, asked, mut gone) = (inner.clone(), asked.clone(), gone.clone());
        async move {
            let _ = asked.send(());
            let _ = gone.wait_for(|gone| *gone).await;
            tower::ServiceExt::oneshot(inner, request).await
        }
    });
    let layer = ProfileLayer::new("/profile", Kustvakt::new(), endpoint).after_revocation(hook);
    let nothing = service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let request = Request::post("/profile")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(
            "client_id=app&client_secret=secret-of-the-app&token=token-of-the-app",
        ))
        .unwrap();
    let call = tokio::spawn(tower::ServiceExt::oneshot(layer.layer(nothing), request));
    is_asked.recv().await.unwrap();
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    go.send_replace(true);
    assert!(receiver.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn hook_that_takes_too_long_or_fails_in_any_way_is_503() {
    for delay in [Duration::ZERO, Duration::from_secs(3600)] {
        let world = world();
        let hook = service_fn(move |_| async move {
            tokio::time::sleep(delay).await;
            // Not what the peer is told.
            Err::<(), BoxError>(Error::new(ErrorKind::InvalidGrant).into())
        });
        let layer = ProfileLayer::new("/profile", Auth0::new(), world.endpoint())
            .timer(TokioTimer::new())
            .after_revocation(hook);
        let nothing = service_fn(async |_: Request<Full<Bytes>>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let request = Request::post("/profile")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::from(
                "client_id=app&client_secret=secret-of-the-app&token=token-of-the-app",
            ))
            .unwrap();
        let response = tower::ServiceExt::oneshot(layer.layer(nothing), request);
        let response = response.await.unwrap();
        assert_eq!(response.status(), 503, "{delay:?}");
        assert!(response.headers().contains_key("retry-after"));
    }
}

#[tokio::test]
async fn hook_learns_whose_token_was_revoked_and_nothing_of_others() {
    let world = world();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let hook = service_fn(move |token: tower_revocation::introspect::Introspection| {
        let sender = sender.clone();
        async move { sender.send(token.client_id.clone()).map_err(BoxError::from) }
    });
    let layer = ProfileLayer::new("/profile", Auth0::new(), world.endpoint());
    let layer = layer.after_revocation(hook);
    let server = world.serve(|resource| layer.layer(resource)).await;
    for token in ["token-of-another", "unknown", "token-of-the-app"] {
        let seen = send(server, &form(token, "secret-of-the-app")).await;
        assert_status(&seen, 200, token);
    }
    assert_eq!(receiver.recv().await.as_deref(), Some("app"));
    assert!(receiver.try_recv().is_err());
}
