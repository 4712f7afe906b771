//! The description of the calls.

use std::collections::BTreeSet;

use super::*;

/// The methods of HTTP that a description can have.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

async fn description(world: &World) -> Value {
    let answer = send(world.remote(), by("viewer", get("/v1/openapi.json"))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[CONTENT_TYPE], "application/json");
    answer.json
}

#[tokio::test]
async fn description_is_for_operators() {
    let world = World::new().await;
    send(world.remote(), get("/v1/openapi.json"))
        .await
        .is_problem(401);
    assert_eq!(description(&world).await["openapi"], "3.1.0");
}

/// This service keeps no orders and notes no tokens: these resources are 404, whatever the method.
#[tokio::test]
async fn each_described_path_has_the_described_methods_only() {
    let world = World::new().await;
    let description = description(&world).await;
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 8);
    for (path, operations) in paths {
        let described: BTreeSet<String> = operations
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        for method in METHODS {
            let mut request = by("security", post(&path.replace("{id}", "1"), "{}"));
            *request.method_mut() = method.parse().unwrap();
            let answer = send(world.remote(), request).await;
            let status = answer.status.as_u16();
            if described.contains(method) {
                assert_ne!(status, 405, "{method} {path}");
            } else if status == 405 {
                let allowed = answer.headers["allow"].to_str().unwrap();
                let allowed: BTreeSet<String> = allowed.split(", ").map(str::to_owned).collect();
                assert_eq!(allowed, described, "{path}");
            } else {
                assert_eq!((path.as_str(), status), ("/v1/sightings", 404), "{method}");
            }
        }
    }
}

#[tokio::test]
async fn each_status_of_an_error_is_described() {
    let world = World::new().await;
    let description = description(&world).await;
    let described = |path: &str, method: &str, status: StatusCode| {
        let responses = &description["paths"][path][method]["responses"];
        let status = status.as_u16().to_string();
        assert!(!responses[&status].is_null(), "{method} {path} {status}");
    };
    let revocations = "/v1/revocations";
    for (body, expected) in [
        (r#"{"target":{"subject":"alice"}}"#, 201),
        (r#"{"target":{}}"#, 400),
        (
            r#"{"target":{"subject":"alice"},"issuer":"https://other.test"}"#,
            422,
        ),
    ] {
        let answer = send(world.remote(), by("security", post(revocations, body))).await;
        assert_eq!(answer.status, expected, "{body}");
        described(revocations, "post", answer.status);
    }
    let answer = send(
        world.remote(),
        by("viewer", post(revocations, r#"{"target":{"subject":"a"}}"#)),
    )
    .await;
    assert_eq!(answer.status, 403);
    described(revocations, "post", answer.status);
    for path in ["/v1/revocations", "/v1/revocations:export", "/v1/status"] {
        let answer = send(world.remote(), by("security", get(path))).await;
        described(path, "get", answer.status);
        let answer = send(world.remote(), by("security", get(&format!("{path}?x=1")))).await;
        described(path, "get", answer.status);
    }
}
