//! The decision for proxies of others.

use super::{
    http::Http,
    port::free_port,
    process::Sidecar,
    world::{SHOP, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_says_who_it_is_and_refuses_after_a_revocation() {
    let world = World::new().await;
    let sections = format!(
        "[verify]\nlisten = \"127.0.0.1:0\"\nidentity_headers = {{ subject = \"x-token-subject\", \
         session = \"x-token-session\" }}\n{}",
        world.terminate()
    );
    let sidecar = world.start(&sections);
    let verify = Http::to(sidecar.url("verify.listen"));
    let token = world.token();
    for path in ["/verify", "/verify/a/b?c=d"] {
        let answer = verify.get_with(path, &token).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-token-subject"), "alice");
        assert!(answer.headers.contains_key("x-token-session"));
    }
    assert_eq!(verify.get("/verify").await.status, 401);
    assert_eq!(verify.get_with("/", &token).await.status, 404);
    let http = Http::to(sidecar.url("gateway.listen"));
    assert_eq!(http.revoke(SHOP, &token).await.status, 200);
    assert!(verify.get_with("/verify", &token).await.is_refused());
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limit_of_one_address_is_for_clients_and_not_for_the_proxy_that_asks() {
    let world = World::new().await;
    let sidecar =
        world.start("[verify]\nlisten = \"127.0.0.1:0\"\n[limits]\nconnections_per_address = 1\n");
    for (listener, is_served) in [("verify.listen", true), ("gateway.listen", false)] {
        let first = Http::to(sidecar.url(listener));
        assert_eq!(first.get("/verify").await.status, 401);
        // Another connection, while the first is open.
        let second = Http::to(sidecar.url(listener));
        let request = second.request(hyper::Method::GET, "/verify");
        let request = request.body(http_body_util::Full::default()).unwrap();
        assert_eq!(
            second.try_send(request).await.is_some(),
            is_served,
            "{listener}"
        );
        assert_eq!(first.get("/verify").await.status, 401);
    }
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_count_only_if_a_trusted_proxy_names_them() {
    let world = World::new().await;
    for (trusted, expected) in [("[]", 401), ("[\"127.0.0.1\"]", 200)] {
        let sidecar = world.start(&format!(
            "[verify]\nlisten = \"127.0.0.1:0\"\ntrusted_proxies = {trusted}\n\
             routes = [{{ path = \"/health\", token = \"optional\" }}]\n"
        ));
        let verify = Http::to(sidecar.url("verify.listen"));
        let question = |uri: &str| {
            verify
                .request(hyper::Method::GET, "/verify")
                .header("x-original-method", "GET")
                .header("x-original-uri", uri)
                .body(http_body_util::Full::default())
                .unwrap()
        };
        assert_eq!(verify.send(question("/health")).await.status, expected);
        assert_eq!(verify.send(question("/other")).await.status, 401);
        assert_eq!(verify.send(question("/health/../other")).await.status, 401);
        sidecar.end();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_asks_over_grpc_on_the_same_port() {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};
    use hyper_util::{
        client::legacy::{Client, connect::HttpConnector},
        rt::TokioExecutor,
    };

    let world = World::new().await;
    let sidecar = world.start("[verify]\nlisten = \"127.0.0.1:0\"\n");
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    // A message without any field, behind its prefix.
    let request = hyper::Request::post(format!(
        "{}/envoy.service.auth.v3.Authorization/Check",
        sidecar.url("verify.listen")
    ))
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .body(Full::from(&[0; 5][..]));
    let response = client.request(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    // An empty answer would mean that the request may pass.
    let answer = response.into_body().collect().await.unwrap();
    assert_eq!(answer.trailers().unwrap()["grpc-status"], "0");
    assert!(answer.to_bytes().len() > 5);
    sidecar.end();
}

/// A gRPC error would pass the request on under `failure_mode_allow: true`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoy_is_told_503_before_the_log_is_open() {
    let world = World::new().await;
    let away = format!("redis://127.0.0.1:{}", free_port());
    let sections = "[verify]\nlisten = \"127.0.0.1:0\"\n";
    let text = world.config_with(&format!("url = {away:?}"), sections);
    let sidecar = Sidecar::begin(&world.write("config.toml", &text));
    let verify = Http::to(sidecar.url("verify.listen"));
    assert_eq!(verify.get("/verify").await.status, 503);
    let check = verify
        .request(
            hyper::Method::POST,
            "/envoy.service.auth.v3.Authorization/Check",
        )
        .header("content-type", "application/grpc")
        .body(http_body_util::Full::from(vec![0; 5]));
    let answer = verify.send(check.unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/grpc");
    // 503 is 0xf7 0x03 in protobuf.
    assert!(answer.text.contains("\u{fffd}\u{3}"), "{answer:?}");
    sidecar.end();
}

/// The address of this machine that others use. `None` without a network.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // It sends nothing.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then_some(address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_connections_follow_the_trusted_proxies() {
    // Those with a loopback address are always trusted, so there is nothing to see.
    let Some(address) = own_address() else { return };
    let world = World::new().await;
    let config = |trusted: &str| {
        let text = world.config(&format!(
            "[verify]\nlisten = \"0.0.0.0:0\"\ninsecure = true\ntrusted_proxies = [{trusted}]\n\
             [limits]\nconnections_per_address = 1\n"
        ));
        // Only a signal reloads it.
        text.replace("50ms", "1h")
    };
    let sidecar = Sidecar::start(&world.write("config.toml", &config("")));
    let url = sidecar.url("verify.listen");
    let url = url.replace("0.0.0.0", &address.to_string());
    let first = Http::to(url.clone());
    assert_eq!(first.get("/verify").await.status, 401);
    let is_served = async || {
        let another = Http::to(url.clone());
        another.try_get_with("/verify", "none").await.is_some()
    };
    assert!(!is_served().await);
    for (times, (trusted, expected)) in [(format!("\"{address}\""), true), (String::new(), false)]
        .into_iter()
        .enumerate()
    {
        world.write("config.toml", &config(&trusted));
        sidecar.signal("HUP");
        sidecar.wait_for_times("the configuration was read again, and is in use", times + 1);
        assert_eq!(is_served().await, expected, "{trusted}");
        assert_eq!(first.get("/verify").await.status, 401);
    }
    sidecar.end();
}
