//! `GET /v1/sightings`, orders about handles, and dry runs that count.

use tower_revocation::{admin::Trail, log::MemoryJournal, revoke::Handles, sightings::Sightings};

use super::*;

struct Seen {
    world: World,
    sightings: Sightings,
}

impl Seen {
    async fn new() -> Self {
        Self {
            world: World::new().await,
            sightings: Sightings::new(),
        }
    }

    /// Notes a token, as a request from Firefox does.
    async fn note(&self, token: &str) {
        let token = self.world.introspect(token).await;
        let user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let request = Request::get("/").header("user-agent", user_agent);
        let (head, ()) = request.body(()).unwrap().into_parts();
        self.sightings.note(&token, &head.headers, &head.extensions);
    }

    fn service(&self, access: Access) -> AdminService<MemoryLog, JwtTokens> {
        let handles = Handles::new([7; 32]);
        let service = self.world.service(access);
        service.sightings(self.sightings.clone(), handles)
    }

    async fn list(&self, query: &str) -> Answer {
        let request = get(&format!("/v1/sightings?{query}"));
        send(self.service(Access::owner("root")), request).await
    }

    async fn order(&self, query: &str, order: &Value) -> Answer {
        let request = post(&format!("/v1/revocations{query}"), &order.to_string());
        send(self.service(Access::owner("root")), request).await
    }
}

#[tokio::test]
async fn list_has_the_tokens_of_one_subject_without_their_values() {
    let seen = Seen::new().await;
    let token = seen.world.issuer.token().subject("alice").client("shop");
    let token = token.id("jti-1").session("s1").sign();
    let other = seen.world.issuer.token().subject("bob").sign();
    let begun = NumericDate::now().seconds();
    for token in [&token, &other] {
        seen.note(token).await;
    }
    let answer = seen.list("subject=alice").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.json["seen_here_since"].as_u64().unwrap() <= begun);
    let [row] = &answer.json["sightings"].as_array().unwrap()[..] else {
        panic!("{}", answer.json);
    };
    assert_eq!(
        (&row["verdict"], &row["client"]),
        (&json!("live"), &json!("shop"))
    );
    assert_eq!(row["browser"], "firefox");
    assert!(row["first_use"].as_u64().unwrap() >= begun && row["expires"].is_u64());
    let text = answer.json.to_string();
    for secret in [&*token, "jti-1", "\"s1\"", "Gecko"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // The order about the session ends it, and the list says so.
    let target = json!({ "subject": "alice", "handle": row["session"] });
    let receipt = seen.order("", &json!({ "target": target })).await;
    assert_eq!(receipt.status, StatusCode::CREATED, "{}", receipt.json);
    assert_eq!(receipt.json["class"], "session");
    assert!(!seen.world.is_live(&token).await && seen.world.is_live(&other).await);
    let answer = seen.list("subject=alice").await;
    assert_eq!(answer.json["sightings"][0]["verdict"], "revoked");
}

#[tokio::test]
async fn handle_of_another_subject_is_refused() {
    let seen = Seen::new().await;
    let token = seen.world.issuer.token().subject("alice").sign();
    seen.note(&token).await;
    let answer = seen.list("subject=alice").await;
    let handle = answer.json["sightings"][0]["handle"].as_str().unwrap();
    for (subject, handle, status) in [("bob", handle, 422), ("alice", "AAAA", 422)] {
        let target = json!({ "subject": subject, "handle": handle });
        let answer = seen.order("", &json!({ "target": target })).await;
        answer.is_problem(status);
    }
    for target in [
        json!({ "handle": handle }),
        json!({ "handle": handle, "subject": "alice", "client": "shop" }),
        json!({ "handle": handle, "client": "shop" }),
    ] {
        let answer = seen.order("", &json!({ "target": target })).await;
        answer.is_problem(400);
    }
    let dated = json!({ "target": { "subject": "alice", "handle": handle }, "before": 1 });
    seen.order("", &dated).await.is_problem(400);
    assert!(seen.world.is_live(&token).await);
}

#[tokio::test]
async fn trail_tells_an_order_about_a_handle_from_one_about_its_subject() {
    let seen = Seen::new().await;
    seen.note(&seen.world.issuer.token().subject("alice").sign())
        .await;
    let handle = seen.list("subject=alice").await.json["sightings"][0]["handle"].clone();
    let trail = Trail::new(MemoryJournal::new());
    let service = || seen.service(Access::owner("root")).trail(trail.clone());
    let order = json!({ "target": { "subject": "alice", "handle": handle } }).to_string();
    let receipt = send(service(), post("/v1/revocations", &order)).await;
    assert_eq!(receipt.status, StatusCode::CREATED, "{}", receipt.json);
    let kept = send(service(), get("/v1/revocations")).await;
    let target = &kept.json["orders"][0]["target"];
    assert_eq!(target["subject"], "alice");
    assert_eq!(
        target["handle"].as_str().map(str::len),
        Some(16),
        "{target}"
    );
}

#[tokio::test]
async fn pages_have_every_token_once() {
    let seen = Seen::new().await;
    for number in 0..7 {
        let token = seen.world.issuer.token().subject("alice");
        seen.note(&token.id(format!("jti-{number}")).sign()).await;
    }
    let mut handles = Vec::new();
    let mut cursor = String::new();
    for expected in [3, 3, 1] {
        let answer = seen.list(&format!("subject=alice&limit=3{cursor}")).await;
        let rows = answer.json["sightings"].as_array().unwrap();
        assert_eq!(rows.len(), expected);
        handles.extend(rows.iter().map(|row| row["handle"].to_string()));
        let next = answer.json["next"].as_str();
        assert_eq!(next.is_some(), expected == 3);
        cursor = format!("&cursor={}", next.unwrap_or_default());
    }
    handles.sort();
    handles.dedup();
    assert_eq!(handles.len(), 7);
}

#[tokio::test]
async fn dry_run_counts_the_tokens_that_were_seen() {
    let seen = Seen::new().await;
    let order = json!({ "target": { "subject": "alice" } });
    let answer = seen.order("?dry_run=true", &order).await;
    assert_eq!(answer.json["sightings"], 0);
    for (id, subject) in [("1", "alice"), ("2", "alice"), ("3", "bob")] {
        let token = seen.world.issuer.token().subject(subject).client("shop");
        seen.note(&token.id(id).sign()).await;
    }
    for (target, expected) in [
        (json!({ "subject": "alice" }), 2),
        (json!({ "client": "shop" }), 3),
        (json!({ "issuer": ISSUER }), 3),
        (json!({ "jti": "3" }), 1),
        (json!({ "session": "s9" }), 0),
    ] {
        let answer = seen
            .order("?dry_run=true", &json!({ "target": target }))
            .await;
        assert_eq!(answer.json["sightings"], expected, "{target}");
    }
    seen.order("", &order).await;
    let answer = seen.order("?dry_run=true", &order).await;
    assert_eq!(answer.json["sightings"], 0);
    assert_eq!(seen.world.records().await, 1);
}

#[tokio::test]
async fn server_without_sightings_says_so() {
    let world = World::new().await;
    let request = get("/v1/sightings?subject=alice");
    send(world.local(), request).await.is_problem(404);
    let order = json!({ "target": { "subject": "alice" } }).to_string();
    let answer = send(world.local(), post("/v1/revocations?dry_run=true", &order)).await;
    assert!(answer.json["sightings"].is_null());
    let target = json!({ "subject": "alice", "handle": "A".repeat(66) });
    world
        .order(&json!({ "target": target }))
        .await
        .is_problem(422);
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let seen = Seen::new().await;
    for query in [
        "",
        "subject=",
        "subject=a&subject=a",
        "subject=a&limit=0",
        "subject=a&limit=201",
        "subject=a&limit=-1",
        "subject=a&cursor=x",
        "subject=a&other=1",
    ] {
        seen.list(query).await.is_problem(400);
    }
    let foreign = "subject=a&issuer=https%3A%2F%2Fother.test";
    seen.list(foreign).await.is_problem(422);
    let request = post("/v1/sightings?subject=a", "{}");
    let service = seen.service(Access::owner("root"));
    send(service, request).await.is_problem(405);
}
