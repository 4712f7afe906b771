//! The calls of proxies as their documentation describes them. No package has Istio, Kong, Envoy Gateway
//! or another gateway with the filter `ExternalAuth`.

use hyper::{Request, http::request::Builder};
use tower_revocation::client::PeerAddr;

use crate::{process::recipe, service::ask, world::Authority};

fn from_proxy(question: Builder) -> Builder {
    question.extension(PeerAddr("127.0.0.1:40000".parse().unwrap()))
}

/// Traefik's `ForwardAuth`: `GET`, and five fields about the original request.
fn traefik(uri: &str) -> Builder {
    from_proxy(Request::get("/verify"))
        .header("x-forwarded-method", "POST")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "api.example.com")
        .header("x-forwarded-uri", uri)
        .header("x-forwarded-for", "192.0.2.7")
        .header("content-type", "application/grpc")
}

/// Istio's `envoyExtAuthzHttp`: the method, and the path after `pathPrefix`.
fn istio(uri: &str) -> Builder {
    from_proxy(Request::post(format!("/verify{uri}")))
        .header("content-length", "0")
        .header("x-envoy-internal", "true")
        .header("x-envoy-expected-rq-timeout-ms", "2000")
        .header("x-forwarded-for", "192.0.2.7")
}

/// The filter `ExternalAuth` of Gateway API with the protocol HTTP: the method, the path after `path`,
/// the host, and no body.
fn gateway_api(uri: &str) -> Builder {
    from_proxy(Request::post(format!("/verify{uri}")))
        .header("host", "api.example.com")
        .header("content-length", "0")
}

/// `extAuth.http` of Envoy Gateway: the path after `path`, by Envoy.
fn envoy_gateway(uri: &str) -> Builder {
    gateway_api(uri)
        .header("x-envoy-internal", "true")
        .header("x-forwarded-for", "192.0.2.7")
        .header("x-forwarded-proto", "https")
        .header("x-request-id", "9f2c")
}

/// The `pre-function` of the recipe for Kong.
fn kong(uri: &str) -> Builder {
    from_proxy(Request::get("/verify"))
        .header("user-agent", "lua-resty-http/0.17.2 (Lua) ngx_lua/10026")
        .header("x-forwarded-method", "POST")
        .header("x-forwarded-uri", uri)
}

#[tokio::test]
async fn documented_calls_get_the_decision() {
    let authority = Authority::new().await;
    let service = authority
        .service()
        .trusted_proxies(["127.0.0.0/8".parse().unwrap()]);
    for (proxy, call) in [
        ("traefik", traefik as fn(&str) -> Builder),
        ("istio", istio),
        ("gateway_api", gateway_api),
        ("envoy_gateway", envoy_gateway),
        ("kong", kong),
    ] {
        let status = async |question| ask(service.clone(), question).await.status().as_u16();
        let token = authority.issuer.token().subject("alice").client("c1");
        let live = format!("Bearer {}", token.grant(proxy).sign());
        let question = call("/a/b?c=d").header("authorization", &*live);
        let response = ask(service.clone(), question).await;
        assert_eq!(response.status(), 200, "{proxy}");
        assert_eq!(response.headers()["x-token-subject"], "alice", "{proxy}");
        assert_eq!(response.headers()["x-token-client"], "c1", "{proxy}");
        let route = authority.last_route();
        assert_eq!(
            (route.method.as_str(), &*route.uri.to_string()),
            ("POST", "/a/b?c=d"),
            "{proxy}"
        );

        authority.revoke_grant(proxy).await;
        let question = call("/a/b?c=d").header("authorization", &*live);
        assert_eq!(status(question).await, 401, "{proxy}");
        assert_eq!(status(call("/a")).await, 401, "{proxy}");
        assert_eq!(status(call("/health")).await, 200, "{proxy}");
        assert_eq!(status(call("/health/../a")).await, 401, "{proxy}");
        // A client of theirs writes fields that they do not know.
        let forged = [("x-original-uri", "/health"), ("x-original-method", "POST")];
        let question = |uri| {
            call(uri)
                .header(forged[0].0, forged[0].1)
                .header(forged[1].0, forged[1].1)
        };
        assert_eq!(status(question("/a")).await, 401, "{proxy}");
    }
}

/// What each recipe has to have, in the words of its proxy.
#[test]
fn recipes_fail_closed() {
    for (file, needed) in [
        (
            "traefik-routes.yaml",
            &[
                "address: http://127.0.0.1:9001/verify",
                "trustForwardHeader: false",
                "maxResponseBodySize:",
                "authRequestHeaders: [Authorization, DPoP]",
                "authResponseHeaders: [X-Token-Subject, X-Token-Client]",
            ][..],
        ),
        (
            "istio.yaml",
            &[
                "failOpen: false",
                "statusOnError: \"503\"",
                "timeout: 2s",
                "envoyExtAuthzGrpc:",
            ],
        ),
        (
            "envoy-gateway.yaml",
            &[
                "failOpen: false\n    timeout: 2s\n    # The sidecar gets every header.\n    grpc:",
                "failOpen: false\n    timeout: 2s\n    headersToExtAuth: [Authorization, DPoP]\n    http:",
                "path: /verify",
                "headersToBackend: [x-token-subject, x-token-client]",
            ],
        ),
        (
            "gateway-api.yaml",
            &[
                "protocol: GRPC",
                "grpc: {}",
                "protocol: HTTP",
                "path: /verify",
                "allowedHeaders: [DPoP]",
                "allowedResponseHeaders: [x-token-subject, x-token-client]",
            ],
        ),
        (
            "kong.yaml",
            &[
                "http://127.0.0.1:9001/verify",
                "kong.service.request.clear_header(name)",
                "kong.service.request.set_header(\"x-token-subject\"",
            ],
        ),
        (
            "envoy-grpc.yaml",
            &["failure_mode_allow: false", "status_on_error:", "timeout:"],
        ),
        (
            "envoy-http.yaml",
            &["failure_mode_allow: false", "status_on_error:", "timeout:"],
        ),
    ] {
        let text = recipe(file);
        for line in needed {
            assert!(text.contains(line), "{file}: {line}");
        }
    }
}
