//! A connection from a leaf to a relay, without a network.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, duplex, split},
    sync::watch,
};

use super::super::{
    leaf::{Open, Opened, Place},
    service::FeedService,
};

/// Clones are the same wire.
#[derive(Clone)]
pub(super) struct Wire {
    state: watch::Sender<State>,
    pub(super) opened: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Nothing comes through, and nobody is told.
    hangs: bool,
    /// How often every connection was closed.
    closed: usize,
}

impl Wire {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(State::default()),
            opened: Arc::default(),
        }
    }

    pub(super) fn hang(&self, hangs: bool) {
        self.state.send_modify(|state| state.hangs = hangs);
    }

    /// Closes the open connections. Others can be opened.
    pub(super) fn close(&self) {
        self.state.send_modify(|state| state.closed += 1);
    }

    /// Opens connections to a relay by this wire.
    pub(super) fn to(&self, relay: impl Fn() -> FeedService + Send + Sync + 'static) -> Arc<Open> {
        let wire = self.clone();
        Arc::new(move || {
            let (wire, relay) = (wire.clone(), relay());
            Box::pin(async move {
                wire.opened.fetch_add(1, Ordering::SeqCst);
                let (client, near) = duplex(64 * 1024);
                let (far, server) = duplex(64 * 1024);
                let (near, far) = (split(near), split(far));
                tokio::spawn(carry(wire.state.subscribe(), near.0, far.1));
                tokio::spawn(carry(wire.state.subscribe(), far.0, near.1));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(server), TowerToHyperService::new(relay));
                tokio::spawn(connection);
                let (stream, token) = (Box::new(client), None);
                Ok(Opened { stream, token })
            })
        })
    }
}

pub(super) fn place() -> Place {
    Place {
        authority: "relay.example.com:443".to_owned(),
        path: "/feed".to_owned(),
    }
}

async fn carry(
    state: watch::Receiver<State>,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) {
    let (mut hangs, mut closes) = (state.clone(), state);
    let before = closes.borrow().closed;
    let mut buffer = vec![0; 16 * 1024];
    let copy = async {
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let passes = hangs.wait_for(|state| !state.hangs).await.is_ok();
            if !passes || to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = copy => {}
        _ = closes.wait_for(|state| state.closed != before) => {}
    }
    let _ = to.shutdown().await;
}
