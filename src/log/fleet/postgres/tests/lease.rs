//! All nodes of a log have the same lease.

use super::{super::super::super::LogErrorKind, *};

#[tokio::test]
async fn node_with_another_lease_is_refused_until_the_log_forgets_its_own() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let url = server.url("postgres");
    let with = |seconds| Options {
        lease: Duration::from_secs(seconds),
        ..options()
    };
    let log = open_at(&url, with(5)).await.unwrap();
    for other in [300, 4] {
        let error = open_at(&url, with(other))
            .await
            .err()
            .expect("it is refused");
        assert_eq!(error.kind(), LogErrorKind::Misconfigured);
        let line = line(&error);
        let (lease, longest) = (
            format!("has {other}s:"),
            format!("wait for {}s", other.max(5)),
        );
        assert!(
            line.contains("lease of 5s") && line.contains(&lease),
            "{line}"
        );
        assert!(
            line.contains(&longest) && line.contains("`lease`"),
            "{line}"
        );
    }
    drop(log);
    drop(open_at(&url, with(5)).await.unwrap());
    server.sql("postgres", "update tower_revocation.meta set lease = null");
    drop(open_at(&url, with(300)).await.unwrap());
    assert!(open_at(&url, with(5)).await.is_err());
}
