//! A process that ends in an orderly way.

use tower_revocation::log::{FleetAck, FleetLog, RevocationLog as _};

use crate::{
    nodes::{LEASE, grant, index, node, wait_until},
    postgres::Server,
};

#[tokio::test]
async fn nobody_waits_for_a_process_that_has_closed_the_log() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let ended = node(&server).await;
    let _index = index(&ended).await;
    let url = server.url("postgres");
    let builder = FleetLog::builder(url).lease(LEASE).ack(FleetAck::Fleet);
    let log = builder.connect().await.unwrap();
    let _there = index(&log).await;
    wait_until("both listed", || log.members().len() == 2).await;
    // In the first lease, an append waits for leases that the database may not know of.
    log.append(vec![grant(0)]).await.unwrap();
    let queued = ended.append(vec![grant(1)]);
    ended.close().await.unwrap();
    queued.await.unwrap();
    let list = "select count(*) from tower_revocation.member";
    assert_eq!(server.sql("postgres", list), "1");
    log.append(vec![grant(2)]).await.unwrap();
    // As of the report that the append has waited for.
    assert_eq!(log.members().len(), 1);
}
