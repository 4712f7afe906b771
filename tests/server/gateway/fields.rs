//! Fields that an API believes because its proxy sets them do not pass from a client.

use super::{World, echoing, field};

/// For each of these, some API believes a client that sends it.
const BELIEVED: &[&str] = &[
    "client-cert",
    "client-cert-chain",
    "client_cert",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-user",
    "x-forwarded-client-cert",
    "x_forwarded_for",
    "x-forwarded_for",
    "x.forwarded.for",
    "x-original-forwarded-for",
    "x-ssl-client-cert",
    "x-ssl-client-verify",
    "ssl-client-cert",
    "ssl_client_verify",
    "x-client-dn",
    "x-arr-clientcert",
    "x-amzn-mtls-clientcert",
    "x-tls-client-subject",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-original-url",
    "x-rewrite-url",
    "x-host",
    "proxy",
    "remote-user",
    "remote_user",
    "x-remote-user",
    "x-remote-groups",
    "x-user",
    "x-user-id",
    "x-userinfo",
    "x-email",
    "x-roles",
    "x-scopes",
    "x-auth-request-user",
    "x-authenticated-userid",
    "x-authenticated-scope",
    "x-authorization",
    "x-access-token",
    "x-id-token",
    "x-jwt-assertion",
    "x-token-subject",
    "x-consumer-username",
    "x-credential-identifier",
    "x-webauth-user",
    "x-goog-authenticated-user-email",
    "x-goog-iap-jwt-assertion",
    "x-amzn-oidc-data",
    "x-ms-client-principal",
    "x-apigateway-api-userinfo",
    "cf-access-jwt-assertion",
    "impersonate-user",
    "tailscale-user-login",
    "x-pomerium-jwt-assertion",
    "oidc_claim_sub",
    "x-spiffe-id",
];

/// Fields that a client may send.
const KEPT: &[&str] = &[
    "accept-language",
    "cookie",
    "if-none-match",
    "idempotency-key",
    "origin",
    "traceparent",
    "user-agent",
    "x-api-key",
    "x-csrf-token",
    "x-ms-version",
    "x-request-id",
    "x-requested-with",
    "x-user-agent",
];

#[tokio::test]
async fn believed_fields_do_not_pass() {
    let world = World::new().await;
    let api = echoing().await;
    let (_gateway, http) = world.gateway_to(&format!("http://{api}"));
    let token = world.http.own_token(super::C1).await;
    // A server accepts a hundred fields at once. The client may also name them in `Connection`.
    let parts = BELIEVED.chunks(25);
    for (believed, is_named) in parts.flat_map(|part| [(part, false), (part, true)]) {
        let mut request = http.with_token("/things", &token);
        let headers = request.headers_mut();
        for name in believed.iter().chain(KEPT) {
            headers.append(*name, "one".parse().unwrap());
            headers.append(*name, "another".parse().unwrap());
        }
        if is_named {
            headers.insert("connection", believed.join(", ").parse().unwrap());
        }
        let response = http.try_send(request).await.unwrap();
        assert_eq!(response.status, 200);
        let received = response.json();
        for name in believed {
            assert_eq!(field(&received, name), None, "{name}");
        }
        for name in KEPT {
            let kept = if *name == "cookie" {
                "one; another"
            } else {
                "one"
            };
            assert_eq!(field(&received, name), Some(kept), "{name}");
        }
        assert_eq!(field(&received, "via"), Some("1.1 gateway"));
        let passed = field(&received, "authorization").unwrap();
        assert!(passed == format!("Bearer {token}"), "the token must pass");
    }
}

#[tokio::test]
async fn connection_cannot_name_a_field_that_the_gateway_has_checked() {
    let world = World::new().await;
    let api = echoing().await;
    let (_gateway, http) = world.gateway_to(&format!("http://{api}"));
    let token = world.http.own_token(super::C1).await;
    let ask = async |connection: &[&[u8]]| {
        let mut request = http.with_token("/things", &token);
        let headers = request.headers_mut();
        headers.insert("x-hop", "1".parse().unwrap());
        headers.insert("cookie", "a=b".parse().unwrap());
        for line in connection {
            headers.append(
                "connection",
                hyper::header::HeaderValue::from_bytes(line).unwrap(),
            );
        }
        http.try_send(request).await.unwrap()
    };
    for refused in [
        &b"authorization"[..],
        b"close, Authorization",
        b"host",
        b"content-length",
        b"\xff, cookie ,x",
    ] {
        assert_eq!(ask(&[refused]).await.status, 400);
        assert_eq!(ask(&[b"x-hop", refused]).await.status, 400);
    }
    // A malformed element does not protect a field that is named beside it.
    for named in [
        &[&b"x-hop"[..]][..],
        &[b"close", b"\xff,\tX-HOP"],
        &[b",, x-hop ,"],
    ] {
        let response = ask(named).await;
        assert_eq!(response.status, 200);
        assert_eq!(field(&response.json(), "x-hop"), None);
        assert_eq!(field(&response.json(), "cookie"), Some("a=b"));
    }
}

#[tokio::test]
async fn path_cannot_leave_the_base_url() {
    let world = World::new().await;
    let api = echoing().await;
    let (_gateway, http) = world.gateway_to(&format!("http://{api}/v1"));
    let token = world.http.own_token(super::C1).await;
    for (path, uri) in [
        ("/things/..a/...", Some("/v1/things/..a/...")),
        ("/things?to=../..", Some("/v1/things?to=../..")),
        ("/%2fthings", Some("/v1/%2fthings")),
        ("/../admin", None),
        ("/..", None),
        ("/things/%2e%2E/../admin", None),
        ("/.%2E%2fadmin", None),
        ("/things%5C..%5cadmin", None),
    ] {
        let request = http.with_token(path, &token);
        let response = http.try_send(request).await.unwrap();
        match uri {
            Some(uri) => assert_eq!(response.json()["uri"], uri),
            None => assert_eq!(response.status, 400, "{path}"),
        }
    }
}
