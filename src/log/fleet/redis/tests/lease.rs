//! All nodes of a log have the same lease.

use super::*;

fn with(seconds: u64) -> Options {
    Options {
        lease: Duration::from_secs(seconds),
        ..hasty()
    }
}

async fn refused(server: &Server, lease: u64) -> String {
    let opened = try_open(&server.url(), with(lease)).await;
    line(&opened.err().expect("it is refused"))
}

#[tokio::test]
async fn node_with_another_lease_is_refused_until_the_log_forgets_its_own() {
    for server in Server::each(&[]) {
        let log = open_at(&server.url(), with(5)).await;
        for other in [300, 4] {
            let line = refused(&server, other).await;
            let wanted = format!("lease of 5s, and this one has {other}s: set the same `lease`");
            let wait = format!("wait for {}s", other.max(5));
            assert!(line.contains(&wanted) && line.contains(&wait), "{line}");
        }
        // Those that are there say it again.
        server.say("FLUSHALL");
        recovered(&log).await;
        refused(&server, 300).await;
        drop(log);
        drop(open_at(&server.url(), with(5)).await);
        server.say("HDEL {tr}:head lease");
        drop(open_at(&server.url(), with(300)).await);
        refused(&server, 5).await;
    }
}
