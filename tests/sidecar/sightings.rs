//! Which tokens were used, for operators and for users themselves.

use http_body_util::Full;
use hyper::{Method, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    http::{Answer, Http},
    process::{Sidecar, program, refused},
    world::World,
};

const BOTH: &str = "[sightings]\n[me]\n";

/// The gateway believes this machine about the address of a client.
fn sections(world: &World) -> String {
    let digest: [u8; 32] = Sha256::digest("ops-token").into();
    let digest = digest.map(|byte| format!("{byte:02x}")).concat();
    world.write("operators", &format!("ops operator {digest}\n"));
    format!("trusted_proxies = [\"127.0.0.1\"]\n{BOTH}")
}

/// A configuration whose operators have a token.
fn start(world: &World, sections: &str) -> Sidecar {
    let operators = format!("[admin]\ntokens_file = {:?}", world.path("operators"));
    let config = world.config(sections).replacen("[admin]", &operators, 1);
    Sidecar::start(&world.write("config.toml", &config))
}

fn token(world: &World, subject: &str, session: &str) -> String {
    let token = world.issuer.token().client("shop").subject(subject);
    token.session(session).sign()
}

async fn send(http: &Http, method: Method, path: &str, token: &str, body: &str) -> Answer {
    let request = http
        .request(method, path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Mozilla/5.0 Firefox/140.0")
        .header("x-forwarded-for", "203.0.113.77")
        .body(Full::from(body.to_owned()));
    http.send(request.unwrap()).await
}

async fn sessions(http: &Http, token: &str) -> Vec<Value> {
    let answer = send(http, Method::GET, "/v1/me/sessions", token, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["sessions"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_ends_another_session_and_its_next_request_is_refused() {
    let world = World::new().await;
    let sidecar = start(&world, &sections(&world));
    let http = Http::to(sidecar.url("gateway.listen"));
    let (laptop, phone) = (
        token(&world, "alice", "laptop"),
        token(&world, "alice", "phone"),
    );
    let of_bob = token(&world, "bob", "phone-of-bob");
    for token in [&phone, &of_bob] {
        assert_eq!(send(&http, Method::GET, "/", token, "").await.status, 200);
    }
    let known = sessions(&http, &laptop).await;
    let [this, other] = &known[..] else {
        panic!("{known:?}");
    };
    assert_eq!(
        (&this["current"], &other["current"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (&other["browser"], &other["network"]),
        (&json!("firefox"), &json!("203.0.113.0/24"))
    );
    let id = other["id"].as_str().unwrap();
    let path = format!("/v1/me/sessions/{id}");
    // Somebody else's request does nothing.
    assert_eq!(
        send(&http, Method::DELETE, &path, &of_bob, "").await.status,
        404
    );
    assert_eq!(http.get_with("/", &phone).await.status, 200);
    assert_eq!(
        send(&http, Method::DELETE, &path, &laptop, "").await.status,
        204
    );
    assert!(http.get_with("/", &phone).await.is_refused());
    assert_eq!(http.get_with("/", &laptop).await.status, 200);
    // A token that alice types.
    let lost = token(&world, "alice", "lost");
    let typed = json!({ "token": lost }).to_string();
    let answer = send(&http, Method::POST, "/v1/me/tokens:revoke", &laptop, &typed).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert!(http.get_with("/", &lost).await.is_refused());
    assert!(http.get("/v1/me/sessions").await.status == 401);
    let log = sidecar.end();
    for secret in [&laptop, &phone, &lost, "203.0.113.77"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operator_sees_what_was_used_and_what_an_order_would_end() {
    let world = World::new().await;
    let sidecar = start(&world, &sections(&world));
    let http = Http::to(sidecar.url("gateway.listen"));
    let admin = Http::to(sidecar.url("admin.listen"));
    for session in ["laptop", "phone"] {
        let token = token(&world, "alice", session);
        assert_eq!(http.get_with("/", &token).await.status, 200);
    }
    let list = send(
        &admin,
        Method::GET,
        "/v1/sightings?subject=alice",
        "ops-token",
        "",
    )
    .await;
    assert_eq!(list.status, 200, "{}", list.text);
    assert_eq!(list.json()["sightings"].as_array().unwrap().len(), 2);
    let order = json!({ "target": { "subject": "alice" } }).to_string();
    let path = "/v1/revocations?dry_run=true";
    let dry_run = send(&admin, Method::POST, path, "ops-token", &order).await;
    assert_eq!(dry_run.json()["sightings"], 2);
    let series = admin.get("/metrics").await.text;
    assert!(
        series.contains("\ntower_revocation_sightings 2\n"),
        "{series}"
    );
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_sections_nothing_is_noted() {
    let world = World::new().await;
    sections(&world);
    let sidecar = start(&world, "");
    let http = Http::to(sidecar.url("gateway.listen"));
    let admin = Http::to(sidecar.url("admin.listen"));
    let token = world.token();
    // The API has the path.
    let answer = http.get_with("/v1/me/sessions", &token).await;
    assert_eq!(answer.text, "/v1/me/sessions alice ");
    let list = send(
        &admin,
        Method::GET,
        "/v1/sightings?subject=alice",
        "ops-token",
        "",
    )
    .await;
    assert_eq!(list.status, 404);
    let other = send(&admin, Method::POST, "/v1/sightings", "ops-token", "").await;
    assert_eq!(other.status, 404);
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reload_keeps_the_sightings_and_uses_new_limits() {
    let world = World::new().await;
    let sidecar = world.start(BOTH);
    let http = Http::to(sidecar.url("gateway.listen"));
    let [first, second, third] = ["1", "2", "3"].map(|session| token(&world, "alice", session));
    sessions(&http, &first).await;
    let before = sessions(&http, &second).await;
    let text = world.config("[sightings]\nper_subject = 2\n[me]\npath = \"/account\"\n");
    world.write("config.toml", &text);
    sidecar.wait_for("the configuration was read again, and is in use");
    let list = |token: String| {
        let http = http.clone();
        async move {
            send(&http, Method::GET, "/account/sessions", &token, "")
                .await
                .json()
        }
    };
    let after = list(second.clone()).await["sessions"].clone();
    // Identifiers stay, too.
    let ids = |list: &[Value]| list.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(after.as_array().unwrap()), ids(&before));
    let third = list(third.clone()).await;
    assert_eq!(third["sessions"].as_array().unwrap().len(), 2);
    // To switch it off needs a restart.
    world.write("config.toml", &world.config(""));
    sidecar.wait_for("sightings: a change needs a restart");
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn key_in_a_file_makes_identifiers_that_survive_the_process() {
    let world = World::new().await;
    let key = world.write("key", &format!("{}\n", "0f".repeat(32)));
    let sections = format!("[sightings]\nkey_file = {key:?}\n[me]\n");
    let laptop = token(&world, "alice", "laptop");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let sidecar = world.start(&sections);
        let http = Http::to(sidecar.url("gateway.listen"));
        ids.push(sessions(&http, &laptop).await[0]["id"].clone());
        sidecar.end();
    }
    assert_eq!(ids[0], ids[1]);
    world.write("key", "0f");
    let config = world.path("config.toml");
    let line = refused(program().args(["--config", &config, "--check"]), 2);
    assert!(line.contains("sightings.key_file: "), "{line}");
    assert!(line.contains("expected 64 hexadecimal digits"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_gets_no_cookie_of_the_pages() {
    let world = World::new().await;
    let pages = format!("{BOTH}pages = \"/me\"\nhosts = [\"localhost\"]\n");
    let token = world.token();
    let sent = "a=1; __Host-revocation-user=x; b=2";
    for (sections, received) in [(&*pages, "a=1; b=2"), (BOTH, sent)] {
        let sidecar = world.start(sections);
        let http = Http::to(sidecar.url("gateway.listen"));
        let request = http
            .request(Method::GET, "/cookie")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::COOKIE, sent)
            .body(Full::default());
        assert_eq!(http.send(request.unwrap()).await.text, received);
        sidecar.end();
    }
}
