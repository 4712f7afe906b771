//! The revocation calls of other systems.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, header};

use super::{
    configuration::with,
    http::{Answer, Http},
    process::output,
    world::{OTHER, SHOP, World},
};

/// One system at the gateway, and its call.
struct Case {
    section: &'static str,
    call: fn(&Http, secret: &str, token: &str) -> Request<Full<Bytes>>,
    success: u16,
}

fn form(http: &Http, path: &str, body: String) -> Request<Full<Bytes>> {
    let request = http.request(Method::POST, path);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(body.into()).unwrap()
}

fn json(http: &Http, path: &str, body: String) -> Request<Full<Bytes>> {
    let request = http.request(Method::POST, path);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.body(body.into()).unwrap()
}

fn cases() -> Vec<Case> {
    macro_rules! form_of {
        ($path:literal) => {
            |http, secret, token| {
                let (id, _) = SHOP;
                form(
                    http,
                    $path,
                    format!("client_id={id}&client_secret={secret}&token={token}"),
                )
            }
        };
    }
    vec![
        Case {
            section: "system = \"wso2\"\npath = \"/wso2/revoke\"\necho_digests = true",
            call: form_of!("/wso2/revoke"),
            success: 200,
        },
        Case {
            section: "system = \"kustvakt\"\npath = \"/api/v1.0/oauth2/revoke\"",
            call: form_of!("/api/v1.0/oauth2/revoke"),
            success: 200,
        },
        Case {
            section: "system = \"auth0\"\npath = \"/oauth/revoke\"\ndeletes_grant = false",
            call: |http, secret, token| {
                let (id, _) = SHOP;
                let body = serde_json::json!({
                    "client_id": id, "client_secret": secret, "token": token,
                });
                json(http, "/oauth/revoke", body.to_string())
            },
            success: 200,
        },
        Case {
            section: "system = \"connect2id\"\npath = \"/token/revoke\"",
            call: form_of!("/token/revoke"),
            success: 200,
        },
        Case {
            section: "system = \"okta\"\npath = \"/oauth2/v1/revoke\"",
            call: form_of!("/oauth2/v1/revoke"),
            success: 200,
        },
        Case {
            section: "system = \"box\"\npath = \"/box/revoke\"",
            call: form_of!("/box/revoke"),
            success: 200,
        },
        Case {
            section: "system = \"pingam\"\npath = \"/am/token/revoke\"",
            call: form_of!("/am/token/revoke"),
            success: 200,
        },
        Case {
            section: "system = \"apigee\"\npath = \"/apigee/revoke\"",
            call: form_of!("/apigee/revoke"),
            success: 200,
        },
        Case {
            section: "system = \"square\"\npath = \"/square/revoke\"",
            call: |http, secret, token| {
                let (id, _) = SHOP;
                let body = serde_json::json!({ "client_id": id, "access_token": token });
                let mut request = json(http, "/square/revoke", body.to_string());
                let client = format!("Client {secret}").parse().unwrap();
                request.headers_mut().insert(header::AUTHORIZATION, client);
                request
            },
            success: 200,
        },
        Case {
            section: "system = \"github\"\npath = \"/applications\"",
            call: |http, secret, token| {
                use base64::{Engine as _, engine::general_purpose::STANDARD};

                let (id, _) = SHOP;
                let basic = STANDARD.encode(format!("{id}:{secret}"));
                http.request(Method::DELETE, &format!("/applications/{id}/token"))
                    .header(header::AUTHORIZATION, format!("Basic {basic}"))
                    .body(
                        serde_json::json!({ "access_token": token })
                            .to_string()
                            .into(),
                    )
                    .unwrap()
            },
            success: 204,
        },
    ]
}

fn sections(world: &World) -> String {
    let profiles = cases();
    let profiles = profiles.iter().map(|case| case.section);
    let profiles = profiles.map(|section| format!("[[profile]]\n{section}\n"));
    world.terminate() + &profiles.collect::<String>()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_other_systems_revoke_at_the_gateway() {
    let world = World::new().await;
    let (id, secret) = SHOP;
    world.register(&[serde_json::json!({
        "client_id": id,
        "client_secret": secret,
        "token_endpoint_auth_methods": ["client_secret_post", "client_secret_basic"],
    })]);
    let sidecar = world.start(&sections(&world));
    let http = Http::to(sidecar.url("gateway.listen"));
    for case in cases() {
        // Some systems revoke all tokens of a subject.
        let token = world
            .issuer
            .token()
            .client(SHOP.0)
            .subject(case.section)
            .sign();
        let refused = http.send((case.call)(&http, "wrong", &token)).await;
        assert!(
            refused.status.is_client_error(),
            "{}: {refused:?}",
            case.section
        );
        assert_eq!(http.get_with("/me", &token).await.status, 200);

        let foreign = world.issuer.token().client(OTHER.0).subject("bob").sign();
        http.send((case.call)(&http, SHOP.1, &foreign)).await;
        assert_eq!(
            http.get_with("/me", &foreign).await.status,
            200,
            "{}",
            case.section
        );

        let answer: Answer = http.send((case.call)(&http, SHOP.1, &token)).await;
        assert_eq!(answer.status, case.success, "{}: {answer:?}", case.section);
        assert!(
            http.get_with("/me", &token).await.is_refused(),
            "{}",
            case.section
        );
    }
    // What is below a profile and no call of it is the API's.
    let token = world.token();
    assert_eq!(http.get_with("/applications/a", &token).await.status, 200);
    sidecar.end();
}

fn square_order(http: &Http, merchant: &str) -> Request<Full<Bytes>> {
    let (id, secret) = SHOP;
    let body = serde_json::json!({ "client_id": id, "merchant_id": merchant });
    let mut request = json(http, "/square", body.to_string());
    let client = format!("Client {secret}").parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, client);
    request
}

fn apigee_order(http: &Http, user: &str) -> Request<Full<Bytes>> {
    let (id, secret) = SHOP;
    form(
        http,
        "/apigee",
        format!("client_id={id}&client_secret={secret}&end_user_id={user}"),
    )
}

/// Records name the issuer, by default or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_of_a_client_ends_its_tokens_for_a_user() {
    let (id, secret) = SHOP;
    for tenants in ["", "\ntenants = false"] {
        let world = World::new().await;
        world.register(&[serde_json::json!({
            "client_id": id,
            "client_secret": secret,
            "token_endpoint_auth_methods": ["client_secret_post"],
        })]);
        let sections = world.terminate()
            + "[[profile]]\nsystem = \"square\"\npath = \"/square\"\n\
               [[profile]]\nsystem = \"apigee\"\npath = \"/apigee\"\n";
        let log = format!("path = {:?}{tenants}", world.path("log.redb"));
        let config = world.write("config.toml", &world.config_with(&log, &sections));
        let sidecar = super::process::Sidecar::start(&config);
        let http = Http::to(sidecar.url("gateway.listen"));
        let of = |user: &str, client: &str| {
            let token = world.issuer.token().client(client).subject(user);
            token.sign()
        };
        for (user, order) in [
            ("alice", square_order as fn(&Http, &str) -> _),
            ("ann", apigee_order),
        ] {
            let (own, other) = (of(user, id), of(user, OTHER.0));
            assert_eq!(http.get_with("/me", &own).await.status, 200);
            let answer: Answer = http.send(order(&http, user)).await;
            assert_eq!(answer.status, 200, "{user}: {answer:?}");
            assert!(http.get_with("/me", &own).await.is_refused(), "{user}");
            assert_eq!(http.get_with("/me", &other).await.status, 200, "{user}");
        }
        sidecar.end();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switches_of_a_profile_reach_it() {
    let world = World::new().await;
    let (id, secret) = SHOP;
    world.register(&[serde_json::json!({
        "client_id": id,
        "client_secret": secret,
        "token_endpoint_auth_methods": ["client_secret_post"],
    })]);
    let sections = world.terminate()
        + &format!(
            r#"
[[profile]]
system = "kustvakt"
path = "/kustvakt"
success_body = false
[[profile]]
system = "wso2"
path = "/wso2"
foreign_tokens_as_wso2 = true
dangerously_allow_jsonp = true
[[profile]]
system = "salesforce"
path = "/salesforce"
strict = true
[[profile]]
system = "connect2id"
path = "/connect2id"
tenants = {{ north = {:?} }}
[[profile]]
system = "cognito"
path = "/cognito"
[[profile]]
system = "cognito-api"
path = "/"
"#,
            world.issuer.issuer()
        );
    let sidecar = world.start(&sections);
    let http = Http::to(sidecar.url("gateway.listen"));
    let send = async |path: &str, token: &str, more: &str| {
        let body = format!("client_id={id}&client_secret={secret}&token={token}{more}");
        http.send(form(&http, path, body)).await
    };
    let own = || world.token();
    let answer = send("/kustvakt", &own(), "").await;
    assert_eq!((answer.status.as_u16(), &*answer.text), (200, ""));
    let foreign = world.issuer.token().client(OTHER.0).subject("bob").sign();
    let answer = send("/wso2", &foreign, "").await;
    assert_eq!(answer.json()["error"], "unauthorized_client");
    let answer = send("/wso2", &own(), "&callback=done").await;
    assert_eq!(answer.text, "/**/done();");
    let answer = send("/salesforce", "unknown", "").await;
    assert_eq!(answer.status, 400, "{answer:?}");

    let token = own();
    let body = format!("client_id={id}&client_secret={secret}&token={token}");
    for (tenant, status) in [("south", 400), ("north", 200)] {
        let mut request = form(&http, "/connect2id", body.clone());
        let tenant = tenant.parse().unwrap();
        request.headers_mut().insert("tenant-id", tenant);
        assert_eq!(http.send(request).await.status, status);
    }
    assert!(http.get_with("/me", &token).await.is_refused());

    // They are for refresh tokens only.
    let token = world.issuer.token().client(id).subject("carol").sign();
    let answer = send("/cognito", &token, "").await;
    assert_eq!(answer.json()["error"], "unsupported_token_type");
    let body = serde_json::json!({ "ClientId": id, "ClientSecret": secret, "Token": token });
    let mut request = json(&http, "/", body.to_string());
    let target = "AWSCognitoIdentityProviderService.RevokeToken";
    let target = target.parse().unwrap();
    request.headers_mut().insert("x-amz-target", target);
    let answer = http.send(request).await;
    assert_eq!(answer.json()["__type"], "UnsupportedTokenTypeException");
    // Without the field, the root is the API's.
    assert_eq!(http.get_with("/", &token).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profile_below_another_is_reached() {
    let world = World::new().await;
    let sections = world.terminate()
        + "[[profile]]\nsystem = \"salesforce\"\npath = \"/a\"\n\
           [[profile]]\nsystem = \"salesforce\"\npath = \"/a/b\"\n";
    let sidecar = world.start(&sections);
    let http = Http::to(sidecar.url("gateway.listen"));
    for path in ["/a", "/a/b"] {
        let token = world.token();
        let request = form(&http, path, format!("token={token}"));
        assert_eq!(http.send(request).await.status, 200, "{path}");
        assert!(http.get_with("/me", &token).await.is_refused(), "{path}");
    }
    sidecar.end();
}

/// Claims of the tokens say where in the tree they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_of_a_tree_falls_with_those_above_it() {
    let world = World::new().await;
    let sections =
        world.terminate() + "[[profile]]\nsystem = \"vault\"\npath = \"/v1/auth/token\"\n";
    let claims = "[[issuer]]\ngrant_claim = \"node\"\nancestors_claim = \"above\"\n";
    let config = world.config(&sections).replace("[[issuer]]\n", claims);
    let sidecar = super::process::Sidecar::start(&world.write("config.toml", &config));
    let http = Http::to(sidecar.url("gateway.listen"));
    let of = |node: &str, above: &[&str]| {
        let token = world.issuer.token().client(SHOP.0).subject("alice");
        token.claim("node", node).claim("above", above).sign()
    };
    let (root, child) = (of("root", &[]), of("child", &["root"]));
    let grandchild = of("grandchild", &["child", "root"]);
    let revoke = async |by: &str, token: &str| {
        let body = serde_json::json!({ "token": token }).to_string();
        let request = http.request(Method::POST, "/v1/auth/token/revoke");
        let request = request.header("x-vault-token", by).body(body.into());
        http.send(request.unwrap()).await.status
    };
    assert_eq!(revoke(&child, &root).await, 403);
    assert_eq!(revoke(&root, &child).await, 204);
    assert!(http.get_with("/me", &grandchild).await.is_refused());
    assert_eq!(http.get_with("/me", &root).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_a_token_revokes_it_if_a_profile_says_so() {
    let world = World::new().await;
    let sections = world.terminate()
        + "[[profile]]\nsystem = \"salesforce\"\npath = \"/services/oauth2/revoke\"\n\
           [[profile]]\nsystem = \"vault\"\npath = \"/v1/auth/token\"\n";
    let sidecar = world.start(&sections);
    let http = Http::to(sidecar.url("gateway.listen"));
    let token = world.token();
    let request = form(&http, "/services/oauth2/revoke", format!("token={token}"));
    assert_eq!(http.send(request).await.status, 200);
    assert!(http.get_with("/me", &token).await.is_refused());

    let token = world.token();
    let own = || {
        let request = http.request(Method::POST, "/v1/auth/token/revoke-self");
        let request = request.header("x-vault-token", &token);
        request.body(Full::default()).unwrap()
    };
    assert_eq!(http.send(own()).await.status, 204);
    assert!(http.get_with("/me", &token).await.is_refused());
    assert_eq!(http.send(own()).await.status, 403);
    // The endpoint itself still needs a client.
    let token = world.token();
    let body = format!("token={token}&client_id=holder+of+the+token");
    let answer = http.send(form(&http, "/oauth2/revoke", body)).await;
    assert_eq!(answer.json()["error"], "invalid_client");
    assert_eq!(http.get_with("/me", &token).await.status, 200);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profile_forwards_what_it_translates() {
    let world = World::new().await;
    let sections = world.forward() + "[[profile]]\nsystem = \"kustvakt\"\npath = \"/revoke\"\n";
    let sidecar = world.start(&sections);
    let http = Http::to(sidecar.url("gateway.listen"));
    let token = world.token();
    let body = format!("client_id={}&token={token}&token_type=access_token", SHOP.0);
    assert_eq!(
        http.send(form(&http, "/revoke", body)).await.text,
        "SUCCESS"
    );
    assert!(http.get_with("/me", &token).await.is_refused());
    let bodies = world.authority.bodies.lock().unwrap().clone();
    assert!(
        bodies[0].contains("token_type_hint=access_token"),
        "{bodies:?}"
    );
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistake_in_a_profile_is_a_line() {
    let world = World::new().await;
    for (sections, expected) in [
        (
            "[[profile]]\nsystem = \"okta\"\npath = \"/a\"\n",
            "nobody knows its clients",
        ),
        (
            "{revoke}[[profile]]\nsystem = \"okta\"\npath = \"/oauth2/revoke\"\n",
            "another endpoint has this path",
        ),
        (
            "{revoke}[[profile]]\nsystem = \"okta\"\npath = \"/a\"\nstrict = true\n",
            "it is not a key of this system",
        ),
        (
            "{revoke}[[profile]]\nsystem = \"okta\"\npath = \"/a/\"\n",
            "expected a path",
        ),
        (
            "{revoke}[[profile]]\nsystem = \"none\"\npath = \"/a\"\n",
            "expected one of",
        ),
        (
            "{forward}[[profile]]\nsystem = \"vault\"\npath = \"/v1/auth/token\"\n",
            "revoke.mode = \"terminate\"",
        ),
        (
            "{revoke}[[profile]]\nsystem = \"connect2id\"\npath = \"/a\"\n\
             tenants = { north = \"https://north.test\" }\n",
            "no [[issuer]] has the url \"https://north.test\"",
        ),
        (
            "{forward}[[profile]]\nsystem = \"connect2id\"\npath = \"/a\"\n\
             tenants = { north = \"{issuer}\" }\n",
            "the authorization server is not told the tenant",
        ),
    ] {
        let sections = sections
            .replace("{revoke}", &world.terminate())
            .replace("{forward}", &world.forward())
            .replace("{issuer}", world.issuer.issuer());
        let mut command = with(&world, &world.config(&sections));
        let output = output(command.arg("--check"), "");
        let lines = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{sections}");
        assert!(
            lines.contains(expected) && lines.lines().count() == 1,
            "{lines}"
        );
    }
}
