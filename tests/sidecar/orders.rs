//! The orders of operators are kept in the file of the log.

use std::{process::Output, time::Duration};

use serde_json::Value;

use super::{
    commands::{json, run},
    process::Sidecar,
    world::World,
};

/// How often the sidecar is killed.
const KILLS: u64 = 4;

/// Lines of JSON.
fn orders(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{output:?}");
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_is_kept_with_its_reason_and_its_receipt() {
    let world = World::new().await;
    let sidecar = world.start("");
    let order = ["revoke", "--subject", "alice", "--reason", "laptop stolen"];
    let receipt = json(&run(&world, &order, ""));
    let id = receipt["id"].as_str().unwrap().to_owned();
    run(&world, &["revoke", "--subject", "bob"], "");
    run(&world, &["revoke", "--session", "s1"], "");
    let status = json(&run(&world, &["status"], ""));
    assert_eq!(status["details"]["orders_are_kept"], true);
    let listed = run(&world, &["orders", "--subject", "alice"], "");
    let line = String::from_utf8(listed.stdout).unwrap();
    assert!(line.ends_with("laptop stolen\n") && line.lines().count() == 1);
    assert!(
        line.contains(&format!(
            "revoked  subject alice  by socket (security)  {id}"
        )),
        "{line}"
    );
    sidecar.end();

    let sidecar = Sidecar::start(&world.path("config.toml"));
    let kept = orders(&run(&world, &["orders", "--json"], ""));
    assert_eq!(kept.len(), 3);
    assert_eq!(kept[2]["receipt"], receipt);
    let newest = orders(&run(&world, &["orders", "--json", "--limit", "1"], ""));
    assert_eq!(newest, kept[..1]);
    assert!(kept[0]["target"]["session"] != "s1");
    sidecar.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn order_that_was_answered_is_kept_after_a_kill() {
    let world = World::new().await;
    let world = &world;
    let mut answered: Vec<String> = Vec::new();
    for round in 0..KILLS {
        let sidecar = if round == 0 {
            world.start("")
        } else {
            Sidecar::start(&world.path("config.toml"))
        };
        let new: Vec<String> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..2)
                .map(|client| {
                    scope.spawn(move || {
                        let mut answered = Vec::new();
                        for number in 0.. {
                            let subject = format!("s{round}-{client}-{number}");
                            let order = run(world, &["revoke", "--subject", &subject], "");
                            if !order.status.success() {
                                break;
                            }
                            answered.push(json(&order)["id"].as_str().unwrap().to_owned());
                        }
                        answered
                    })
                })
                .collect();
            // Somewhere among the orders.
            std::thread::sleep(Duration::from_millis(150 + 40 * round));
            sidecar.kill();
            clients
                .into_iter()
                .flat_map(|client| client.join().unwrap())
                .collect()
        });
        answered.extend(new);
    }
    let sidecar = Sidecar::start(&world.path("config.toml"));
    let kept = orders(&run(world, &["orders", "--json", "--limit", "100000"], ""));
    for id in &answered {
        let order = kept.iter().find(|order| order["id"] == **id);
        assert_eq!(order.expect("it is kept")["outcome"], "revoked");
    }
    eprintln!("{} answered, {} kept", answered.len(), kept.len());
    sidecar.end();
}
