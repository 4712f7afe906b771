//! What has to hold for every proxy, and what differs.

use crate::{
    client::{get, send},
    process::Proxy,
    world::{Mode, World},
};

/// What clients of a proxy see.
pub(crate) struct Cells {
    /// The Authorization field is malformed.
    pub(crate) malformed: u16,
    /// The state of the token is unknown.
    pub(crate) unknown: u16,
    /// `Retry-After` of it.
    pub(crate) retry_after: Option<&'static str>,
    /// No decision within the time-out of the proxy.
    pub(crate) slow: u16,
    /// Nobody listens.
    pub(crate) down: u16,
    /// No token, in a call of gRPC: the status of HTTP, and that of gRPC.
    pub(crate) grpc: (u16, Option<&'static str>),
    /// Whether the decision sees all fields of the request.
    pub(crate) sees_fields: bool,
}

/// Every row of the acceptance table that is the same for all proxies.
pub(crate) async fn hold(proxy: &Proxy, world: &mut World, cells: &Cells) {
    decisions(proxy, world, cells).await;
    reports(proxy, world, cells).await;
    forged_identity(proxy, world).await;
    routes(proxy, world).await;
    grpc_media_type(proxy, world, cells).await;
    revoked(proxy, world).await;
    unknown(proxy, world, cells).await;
}

async fn decisions(proxy: &Proxy, world: &World, cells: &Cells) {
    let live = world.authority.live();
    let reply = get(proxy.port, "/a", &live).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        reply.received("x-token-subject"),
        Some("alice"),
        "{reply:?}"
    );
    assert_eq!(reply.received("x-token-client"), Some("c1"), "{reply:?}");
    assert_eq!(reply.received("authorization"), Some(&*live));

    // What the API says itself passes as it is.
    let reply = get(proxy.port, "/fails", &live).await;
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(reply.body.starts_with("GET /fails"), "{reply:?}");

    let before = world.requests();
    let reply = send(proxy.port, "GET /a", &[]).await;
    assert_eq!(reply.status, 401, "{reply:?}");
    assert_eq!(
        reply.field("www-authenticate"),
        Some("Bearer realm=\"api\"")
    );

    let forged = world
        .authority
        .issuer
        .token()
        .subject("root")
        .forged()
        .sign();
    let expired = world.authority.issuer.token().expired().sign();
    for token in [forged, expired, "2YotnFZFEjr1zCsicMWpAA".to_owned()] {
        let reply = get(proxy.port, "/a", &format!("Bearer {token}")).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        let challenge = reply.field("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("error=\"invalid_token\""), "{reply:?}");
        assert!(!reply.body.contains(&token) && reply.field("x-token-subject").is_none());
    }
    for malformed in ["Bearer", "Bearer a b", "Bearer a, Bearer b"] {
        let reply = get(proxy.port, "/a", malformed).await;
        assert_eq!(reply.status, cells.malformed, "{malformed}: {reply:?}");
    }
    // Two fields. Some proxies refuse them themselves, some join them.
    for [first, second] in [
        [&*live, &live],
        [&live, "Basic YTpi"],
        ["Basic YTpi", &live],
    ] {
        let fields = [("Authorization", first), ("Authorization", second)];
        let reply = send(proxy.port, "GET /health", &fields).await;
        assert_eq!(reply.status, 400, "{first}, {second}: {reply:?}");
    }
    assert_eq!(world.requests(), before);
}

/// The decision is about the method and the target that the client has sent.
async fn reports(proxy: &Proxy, world: &World, cells: &Cells) {
    let live = world.authority.live();
    let fields = [
        ("Authorization", &*live),
        ("Content-Length", "0"),
        ("X-Own", "1"),
    ];
    let reply = send(proxy.port, "DELETE /a/b?c=/../d", &fields).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let route = world.authority.last_route();
    assert_eq!(route.method, "DELETE");
    assert_eq!(route.uri, "/a/b?c=/../d");
    assert!(reply.body.starts_with("DELETE /a/b?c=/../d"), "{reply:?}");
    assert_eq!(route.headers.contains_key("x-own"), cells.sees_fields);
}

/// No client tells the API whose token it has.
async fn forged_identity(proxy: &Proxy, world: &World) {
    let live = world.authority.live();
    for name in [
        "x-token-subject",
        "X-TOKEN-SUBJECT",
        "X_Token_Subject",
        "x_token-subject",
        "X-Token_Subject",
        "X.Token.Subject",
        "x.token-subject",
    ] {
        let fields = [("Authorization", &*live), (name, "root")];
        let reply = send(proxy.port, "GET /a", &fields).await;
        assert_eq!(reply.status, 200, "{name}: {reply:?}");
        let received = reply.received_alike("x-token-subject");
        assert_eq!(received, ["alice"], "{name}: {reply:?}");
    }
    // By removing what we have set.
    for connection in [
        "close, x-token-subject",
        "X-Token-Subject, close",
        "close,x-token-client",
    ] {
        let fields = [("Authorization", &*live), ("Connection", connection)];
        let reply = send(proxy.port, "GET /a", &fields).await;
        assert_eq!(
            reply.received("x-token-subject"),
            Some("alice"),
            "{connection}: {reply:?}"
        );
        assert_eq!(
            reply.received("x-token-client"),
            Some("c1"),
            "{connection}: {reply:?}"
        );
        let passed = reply.received("connection").unwrap_or_default();
        assert!(!passed.to_lowercase().contains("token"), "{reply:?}");
    }
    // A token without a subject, and no token at all: the value of the client does not stay.
    let service = world.authority.live_without_subject();
    for (path, authorization, client) in [("/a", &*service, "service"), ("/health", "None", "")] {
        let fields = [
            ("Authorization", authorization),
            ("X-Token-Subject", "root"),
            ("X-Token-Client", "root"),
        ];
        let reply = send(proxy.port, &format!("GET {path}"), &fields).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        assert_eq!(
            reply.received("x-token-subject").unwrap_or_default(),
            "",
            "{reply:?}"
        );
        assert_eq!(
            reply.received("x-token-client").unwrap_or_default(),
            client,
            "{reply:?}"
        );
    }
}

/// One route needs no token. Nothing that a client sends makes another route this one.
async fn routes(proxy: &Proxy, world: &World) {
    let reply = send(proxy.port, "GET /health?full=1", &[]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let before = world.requests();
    for path in [
        "/a",
        "/health/",
        "/health/../a",
        "/health/%2e%2e/a",
        "/health/..%2fa",
        "/health%2f..%2fa",
        "/health/..%5ca",
        "//health/../a",
        "/a?/health",
        "/health;/../a",
    ] {
        let reply = send(proxy.port, &format!("GET {path}"), &[]).await;
        assert!(matches!(reply.status, 400..=499), "{path}: {reply:?}");
    }
    let forged = [
        [("X-Original-URI", "/health"), ("X-Original-Method", "GET")],
        [
            ("X-Forwarded-Uri", "/health"),
            ("X-Forwarded-Method", "GET"),
        ],
        [("X-Original-URL", "/health"), ("X-Rewrite-URL", "/health")],
        [
            ("Forwarded", "path=/health"),
            ("X-HTTP-Method-Override", "GET"),
        ],
        [("X_Original_URI", "/health"), ("X_Original_Method", "GET")],
        [
            ("X-Envoy-Original-Path", "/health"),
            ("X-Forwarded-Path", "/health"),
        ],
    ];
    for fields in forged {
        let reply = send(proxy.port, "GET /a", &fields).await;
        assert_eq!(reply.status, 401, "{fields:?}: {reply:?}");
    }
    assert_eq!(world.requests(), before);
}

/// In gRPC a refusal has the HTTP status 200. No proxy takes ours for a permission.
async fn grpc_media_type(proxy: &Proxy, world: &World, cells: &Cells) {
    let before = world.requests();
    for media_type in [
        "application/grpc",
        "application/grpc+proto",
        "APPLICATION/GRPC",
    ] {
        let fields = [("Content-Type", media_type), ("Content-Length", "0")];
        let reply = send(proxy.port, "POST /shop.Orders/List", &fields).await;
        let grpc = reply.field("grpc-status");
        let expected = if media_type.starts_with('A') && grpc.is_none() {
            (401, None)
        } else {
            cells.grpc
        };
        assert_eq!((reply.status, grpc), expected, "{media_type}: {reply:?}");
    }
    assert_eq!(world.requests(), before);
}

async fn revoked(proxy: &Proxy, world: &World) {
    let token = world.authority.issuer.token().subject("bob").grant("g2");
    let authorization = format!("Bearer {}", token.sign());
    assert_eq!(get(proxy.port, "/a", &authorization).await.status, 200);
    let before = world.requests();
    world.authority.revoke_grant("g2").await;
    let reply = get(proxy.port, "/a", &authorization).await;
    assert_eq!(reply.status, 401, "{reply:?}");
    let challenge = reply.field("www-authenticate").unwrap_or_default();
    assert!(challenge.contains("error=\"invalid_token\""), "{reply:?}");
    assert_eq!(world.requests(), before);
    // Others are not affected.
    assert_eq!(
        get(proxy.port, "/a", &world.authority.live()).await.status,
        200
    );
}

async fn unknown(proxy: &Proxy, world: &mut World, cells: &Cells) {
    let live = world.authority.live();
    let before = world.requests();
    world.authority.set(Mode::Fails);
    let reply = get(proxy.port, "/a", &live).await;
    assert_eq!(reply.status, cells.unknown, "{reply:?}");
    assert_eq!(reply.field("retry-after"), cells.retry_after, "{reply:?}");

    world.authority.set(Mode::Hangs);
    let reply = get(proxy.port, "/a", &live).await;
    assert_eq!(reply.status, cells.slow, "{reply:?}");

    world.authority.set(Mode::Works);
    world.end_verify().await;
    // Also for routes that need no token.
    for path in ["/a", "/health"] {
        let reply = get(proxy.port, path, &live).await;
        assert_eq!(reply.status, cells.down, "{path}: {reply:?}");
    }
    assert_eq!(world.requests(), before, "{}", proxy.log());
}
