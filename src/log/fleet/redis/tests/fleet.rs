//! Two nodes.

use super::{
    super::super::{super::RevocationLog as _, FleetLog},
    *,
};
use crate::{enforce::Index, log::LogErrorKind};

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("too late: {what}");
}

#[tokio::test]
async fn token_that_is_revoked_at_one_node_is_refused_at_the_other() {
    for mut server in Server::each(&[]) {
        let url = format!("{}?lease=2s&append_timeout=1s", server.url());
        let nodes = [FleetLog::connect(&url).await, FleetLog::connect(&url).await];
        let [one, other] = nodes.map(|log| log.unwrap_or_else(|error| panic!("{}", line(&error))));
        let index = Index::follow(&other).await.unwrap();
        let covers = |name: &str| index.covers_selector(&grant(name).selector(), None);
        one.append(vec![grant("first")]).await.unwrap();
        until("the record is there", || covers("first")).await;
        until("both report", || one.members().len() == 2).await;

        server.stop();
        until("the lease is over", || !index.readiness().is_ready()).await;
        let error = one.append(vec![grant("second")]).await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Unavailable);
        server.restart();
        until("the lease is back", || index.readiness().is_ready()).await;
        until("appends work", || one.health().is_writable()).await;
        one.append(vec![grant("third")]).await.unwrap();
        until("the record is there", || covers("third")).await;

        server.say("FLUSHALL");
        one.append(vec![grant("fourth")]).await.unwrap();
        until("the record is there", || covers("fourth")).await;
        until("the lease is back", || index.readiness().is_ready()).await;
        assert!(covers("first"));
    }
}
