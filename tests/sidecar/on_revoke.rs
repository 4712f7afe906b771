//! Issuers are told of orders, and end the refresh tokens that they keep.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    commands::{json, run},
    http::Http,
    port::free_port,
    process::{Sidecar, TIMEOUT},
    receiver::{self, Receiver, status},
    world::World,
};

/// A configuration whose issuer has this `on_revoke`.
fn config(world: &World, on_revoke: &str) -> String {
    let issuer = format!("[[issuer]]\nurl = \"{}\"\n", world.issuer.issuer());
    let with = format!("{issuer}on_revoke = {on_revoke}\n");
    let text = world.config("").replacen(&issuer, &with, 1);
    world.write("config.toml", &text)
}

fn keycloak(world: &World, url: &str) -> String {
    let secret = world.write("keycloak", "s3cret\n");
    format!(
        "{{ keycloak = {{ url = \"{url}/realms/shop\", client_id = \"revocation\", secret_file = {secret:?} }} }}"
    )
}

/// The only order, once its refresh tokens are like this.
async fn becomes(world: &World, refresh_tokens: &str) -> Value {
    let begun = Instant::now();
    loop {
        let order = json(&run(world, &["orders", "--json"], ""));
        if order["refresh_tokens"] == refresh_tokens {
            return order;
        }
        assert!(begun.elapsed() < TIMEOUT, "{order}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_is_told_to_keycloak_although_the_process_was_killed() {
    let world = World::new().await;
    // Nobody listens there yet.
    let address = format!("127.0.0.1:{}", free_port());
    let config = config(&world, &keycloak(&world, &format!("http://{address}")));
    let sidecar = Sidecar::start(&config);
    let receipt = json(&run(&world, &["revoke", "--subject", "alice"], ""));
    assert_eq!(receipt["refresh_tokens"], "pending");
    // The attempt has ended. Otherwise the next process would wait for it.
    sidecar.wait_for("an issuer was not told of an order yet");
    sidecar.kill();

    let server = receiver::keycloak_at(&address).await;
    let sidecar = Sidecar::start(&config);
    server.requests("/users/alice/logout", 1).await;
    let order = becomes(&world, "ended").await;
    assert_eq!(order["receipt"], receipt);
    let series = Http::to(sidecar.url("admin.listen")).get("/metrics").await;
    let told = "tower_revocation_notices_total{outcome=\"ended\"} 1";
    assert!(series.text.contains(told), "{}", series.text);
    let log = sidecar.end();
    assert!(!log.contains("s3cret"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhook_of_the_configuration_in_use_is_told() {
    let world = World::new().await;
    let [first, second] = [(); 2].map(|()| Receiver::start(|_| status(204)));
    let (first, second) = (first.await, second.await);
    let key = world.write("hook", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n");
    let hook = |server: &Receiver| {
        let url = &server.url;
        format!("{{ webhook = {{ url = \"{url}/hook\", secret_file = {key:?} }} }}")
    };
    let sidecar = Sidecar::start(&config(&world, &hook(&first)));
    first.next(status(500));
    run(&world, &["revoke", "--subject", "alice"], "");
    let told = first.requests("/hook", 2).await;
    assert_eq!(told[0].body, told[1].body);
    assert_eq!(
        (&told[0].method, told[0].path.as_str()),
        (&hyper::Method::POST, "/hook")
    );
    let notice: Value = serde_json::from_slice(&told[0].body).unwrap();
    assert_eq!(notice["data"]["subject"], "alice");
    assert_eq!(notice["data"]["issuer"], world.issuer.issuer());

    config(&world, &hook(&second));
    sidecar.wait_for("the configuration was read again");
    run(&world, &["revoke", "--subject", "bob"], "");
    second.requests("/hook", 1).await;
    assert_eq!(first.received().len(), 2);
    // The process does not wait for a receiver that does not respond.
    second.stall(true);
    run(&world, &["revoke", "--subject", "carol"], "");
    second.requests("/hook", 2).await;
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_on_revoke_the_receipt_says_so() {
    let world = World::new().await;
    let sidecar = world.start("");
    let receipt = json(&run(&world, &["revoke", "--subject", "alice"], ""));
    assert_eq!(receipt["refresh_tokens"], "untouched");
    let receipt = json(&run(&world, &["revoke", "--session", "s1"], ""));
    assert!(receipt["refresh_tokens"].is_null(), "{receipt}");
    sidecar.end();
}
