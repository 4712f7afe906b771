//! Who may do what.

use super::*;

type Make<'a> = &'a dyn Fn() -> Request<Full<Bytes>>;

fn order(target: &Value) -> Request<Full<Bytes>> {
    post("/v1/revocations", &json!({ "target": target }).to_string())
}

#[tokio::test]
async fn role_limits_what_a_caller_may_do() {
    let world = World::new().await;
    let subject = || order(&json!({ "subject": "alice" }));
    let both = || order(&json!({ "subject": "alice", "client": "web" }));
    let client = || order(&json!({ "client": "web" }));
    let issuer = || order(&json!({ "issuer": ISSUER }));
    let inspect = || post("/v1/tokens:inspect", r#"{"token":"t"}"#);
    let status = || get("/v1/status");
    let table: [(Make<'_>, [u16; 3]); 6] = [
        (&subject, [403, 201, 201]),
        (&both, [403, 201, 201]),
        (&client, [403, 403, 201]),
        (&issuer, [403, 403, 201]),
        (&inspect, [403, 200, 200]),
        (&status, [200, 200, 200]),
    ];
    for (place, (request, expected)) in table.iter().enumerate() {
        for (role, expected) in ROLES.iter().zip(expected) {
            let answer = send(world.remote(), by(role, request())).await;
            assert_eq!(answer.status, *expected, "{place} {role}: {}", answer.json);
        }
        let answer = send(world.local(), request()).await;
        assert!(answer.status.is_success(), "{place}");
    }
    // What was refused has left no record: a client, an issuer, the subject and the pair.
    assert_eq!(world.records().await, 4);
}

#[tokio::test]
async fn caller_without_a_right_token_is_401() {
    let world = World::new().await;
    let request = || order(&json!({ "subject": "alice" }));
    send(world.remote(), request()).await.is_problem(401);
    for field in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer token-operato",
        "Bearer token-operator2",
        "Bearer TOKEN-OPERATOR",
        "Basic token-operator",
        "token-operator",
        "Bearer token-operator,x",
        &format!("Bearer {}", sha256("token-operator")),
    ] {
        let answer = send(world.remote(), with(request(), "authorization", field)).await;
        answer.is_problem(401);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let twice = by("operator", by("operator", request()));
    send(world.remote(), twice).await.is_problem(401);
    let answer = send(
        world.remote(),
        with(request(), "authorization", "bearer  token-operator"),
    );
    assert_eq!(answer.await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn browser_of_another_origin_is_refused() {
    let world = World::new().await;
    let request = || by("operator", order(&json!({ "subject": "alice" })));
    for origin in [
        "https://evil.test",
        "null",
        "http://127.0.0.1:9003",
        "file://",
        NAME,
    ] {
        let foreign = with(request(), "origin", origin);
        send(world.remote(), foreign).await.is_problem(403);
    }
    for site in ["cross-site", "same-site"] {
        send(world.remote(), with(request(), "sec-fetch-site", site))
            .await
            .is_problem(403);
    }
    let two = with(
        with(request(), "origin", "http://127.0.0.1:9002"),
        "origin",
        "null",
    );
    send(world.remote(), two).await.is_problem(403);
    // A browser asks first.
    let preflight = Request::options("/v1/revocations").header(HOST, NAME);
    let preflight = by("operator", preflight.body(Full::default()).unwrap());
    let answer = send(world.remote(), preflight).await;
    answer.is_problem(405);
    assert!(
        answer
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
    assert_eq!(world.records().await, 0);

    let own = with(request(), "origin", "http://127.0.0.1:9002");
    let own = with(own, "sec-fetch-site", "same-origin");
    assert_eq!(send(world.remote(), own).await.status, StatusCode::CREATED);
    // No browser reaches a Unix socket.
    let local = with(
        order(&json!({ "subject": "alice" })),
        "origin",
        "http://127.0.0.1:9002",
    );
    send(world.local(), local).await.is_problem(403);
}

#[tokio::test]
async fn other_names_of_the_server_are_refused() {
    let world = World::new().await;
    let named = |host: &str| {
        let mut request = by("operator", order(&json!({ "subject": "alice" })));
        request.headers_mut().insert(HOST, host.parse().unwrap());
        request
    };
    for host in [
        "evil.test:9002",
        "127.0.0.1",
        "127.0.0.1:90020",
        "",
        "localhost:9002",
    ] {
        send(world.remote(), named(host)).await.is_problem(403);
    }
    send(world.remote(), with(named(NAME), "host", NAME))
        .await
        .is_problem(400);
    let mut other = named(NAME);
    *other.uri_mut() = "http://evil.test/v1/revocations".parse().unwrap();
    send(world.remote(), other).await.is_problem(400);
    let mut none = named(NAME);
    none.headers_mut().remove(HOST);
    send(world.remote(), none).await.is_problem(403);
    let unnamed = world.remote().hosts([""; 0]);
    send(unnamed, named(NAME)).await.is_problem(403);
    assert_eq!(world.records().await, 0);
    assert_eq!(
        send(world.local(), named("anything")).await.status,
        StatusCode::CREATED
    );
}

#[test]
fn file_of_operators_is_read_strictly() {
    let digest = sha256("a");
    let [upper, other] = [digest.to_uppercase(), sha256("b")];
    let text = format!("# a comment\n\n  ann\tviewer {upper}  \r\nbob security {other}\n");
    let tokens = Operators::parse(&text).unwrap();
    let caller = tokens.by_token("a").unwrap();
    assert_eq!((caller.name(), caller.role().as_str()), ("ann", "viewer"));
    assert!(tokens.by_token("").is_none() && tokens.by_token(&digest).is_none());
    let shown = format!("{tokens:?}");
    assert!(
        shown.contains("ann") && !shown.contains(&digest[..8]),
        "{shown}"
    );
    for (text, line) in [
        (String::new(), 0),
        ("# only\n# comments".to_owned(), 2),
        (format!("ann {digest}"), 1),
        (format!("ann viewer {digest} x"), 1),
        (format!("\nann admin {digest}"), 2),
        (format!("ann Viewer {digest}"), 1),
        (format!("ann viewer {}", &digest[1..]), 1),
        (format!("ann viewer {}é", &digest[2..]), 1),
        (format!("ann viewer {digest}\nann viewer {other}"), 2),
        (format!("ann viewer {digest}\nbob viewer {upper}"), 2),
        ("ann viewer secret-token".to_owned(), 1),
        ("ann viewer dns:*.test".to_owned(), 1),
        ("ann viewer cn:ann".to_owned(), 1),
        ("ann viewer certificate:ab".to_owned(), 1),
        ("ann viewer Proxy".to_owned(), 1),
        ("ann viewer dns:a.test\nbob viewer dns:a.test".to_owned(), 2),
        (
            "ann viewer proxy\nbob viewer proxy\nann viewer proxy".to_owned(),
            3,
        ),
    ] {
        let error = Operators::parse(&text).unwrap_err();
        assert_eq!(error.line(), line, "{text}: {error}");
        assert!(!error.to_string().contains("ann") && !error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn actor_is_who_the_token_names() {
    let caller = operators().by_token("token-security").unwrap();
    assert_eq!(caller.name(), "security-1");
    let shown = format!("{:?}", World::new().await.remote());
    assert!(shown.contains("security-1") && !shown.contains(&sha256("token-security")));
}

#[tokio::test]
async fn only_a_verified_certificate_names_an_operator() {
    use rcgen::generate_simple_self_signed;
    use tower_revocation::client::certificate::ClientCertificate;

    let made = generate_simple_self_signed(["deploy.test".to_owned()]).unwrap();
    let der = made.cert.der().to_vec();
    let thumbprint = ClientCertificate::verified(&*der).unwrap().thumbprint();
    let thumbprint = thumbprint.map(|byte| format!("{byte:02x}")).concat();
    let [verified, unverified] = [
        ClientCertificate::verified(&*der).unwrap(),
        ClientCertificate::unverified(&*der).unwrap(),
    ];
    let world = World::new().await;
    for (credential, expected) in [
        ("dns:deploy.test".to_owned(), 200),
        (format!("certificate:{thumbprint}"), 200),
        ("dns:other.test".to_owned(), 401),
        ("uri:deploy:test".to_owned(), 401),
        ("proxy".to_owned(), 401),
    ] {
        let operators = Operators::parse(&format!("deploy.test viewer {credential}")).unwrap();
        for (certificate, expected) in [(&verified, expected), (&unverified, 401)] {
            let mut request = get("/v1/status");
            request.extensions_mut().insert(certificate.clone());
            let access = Access::operators(operators.clone());
            let answer = send(world.service(access), request).await;
            assert_eq!(answer.status, expected, "{credential}");
        }
    }
}
