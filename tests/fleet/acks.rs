//! An append that waits until every node refuses the token.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use futures::channel::oneshot;
use tokio::runtime::Builder;
use tower_revocation::{
    enforce::{Freshness, Index},
    log::{FleetAck, FleetLog, RevocationLog as _},
};

use crate::{
    nodes::{LEASE, covers, grant, index, node, wait_until},
    postgres::Server,
};

async fn waiting(server: &Server) -> FleetLog {
    let builder = FleetLog::builder(server.url("postgres")).lease(LEASE);
    let connected = builder.ack(FleetAck::Fleet).connect().await;
    connected.expect("the server answers")
}

/// A process that a test can stop, as SIGSTOP does.
struct Process {
    index: Arc<Index>,
    stop: oneshot::Sender<()>,
    go_on: mpsc::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Process {
    fn start(url: String) -> Self {
        let (started, start) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let (go_on, goes_on) = mpsc::channel();
        let thread = thread::spawn(move || {
            // Nothing happens in it outside of `block_on`.
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let (_log, index) = runtime.block_on(async {
                let log = FleetLog::builder(url).lease(LEASE).connect().await.unwrap();
                let index = Arc::new(index(&log).await);
                started.send(index.clone()).unwrap();
                stopped.await.unwrap();
                (log, index)
            });
            goes_on.recv().unwrap();
            runtime.block_on(wait_until("complete", || {
                index.freshness() == Freshness::Fresh && covers(&index, 101)
            }));
        });
        Self {
            index: start.recv().unwrap(),
            stop,
            go_on,
            thread,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_node_accepts_the_token_once_an_append_has_returned() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let first = waiting(&server).await;
    let other = node(&server).await;
    let indexes = [index(&first).await, index(&other).await];
    let url = server.url("postgres");
    let process = tokio::task::block_in_place(|| Process::start(url));
    wait_until("listed", || first.members().len() == 3).await;
    let mut times = Vec::new();
    for number in 0..10 {
        let begun = Instant::now();
        first.append(vec![grant(number)]).await.unwrap();
        times.push(begun.elapsed());
        assert!(indexes.iter().all(|index| covers(index, number)));
        assert!(covers(&process.index, number));
    }
    // The machine may be slow for a while, but not in all of them.
    assert!(times.iter().min().unwrap() < &(LEASE / 2), "{times:?}");

    process.stop.send(()).unwrap();
    let begun = Instant::now();
    first.append(vec![grant(100)]).await.unwrap();
    let waited = begun.elapsed();
    assert!(!covers(&process.index, 100));
    assert_ne!(process.index.freshness(), Freshness::Fresh);
    assert!(waited >= LEASE, "{waited:?}");

    // Nobody waits for it any longer.
    wait_until("struck out", || first.members().len() == 2).await;
    let mut times = Vec::new();
    for number in 101..104 {
        let begun = Instant::now();
        first.append(vec![grant(number)]).await.unwrap();
        times.push(begun.elapsed());
    }
    assert!(times.iter().min().unwrap() < &(LEASE / 2), "{times:?}");
    process.go_on.send(()).unwrap();
    tokio::task::block_in_place(|| process.thread.join().unwrap());
}
