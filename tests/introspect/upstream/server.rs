//! Helpers of these tests for the authorization server.

use std::{net::SocketAddr, sync::atomic::Ordering, time::Duration};

use serde_json::Value;
use tokio_rustls::TlsAcceptor;
use tower_revocation::introspect::upstream::{Upstream, UpstreamBuilder};

pub(crate) use crate::authorization_server::{
    Does, PATIENCE, Server, json, with_status, with_type,
};

impl Server {
    pub(crate) async fn json(body: Value) -> Self {
        Self::start(Does::Respond(json(body.to_string()))).await
    }

    pub(crate) async fn tls(acceptor: TlsAcceptor, does: Does) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), Some(acceptor), does).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// An introspection at this server that caches nothing.
    pub(crate) fn uncached(&self) -> Upstream {
        self.uncached_builder().build().unwrap()
    }

    pub(crate) fn uncached_builder(&self) -> UpstreamBuilder {
        self.builder().cache(Duration::ZERO, 0)
    }

    /// An introspection at this server with the default settings.
    pub(crate) fn upstream(&self) -> Upstream {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> UpstreamBuilder {
        Upstream::builder(self.uri())
    }

    pub(crate) fn says(&self, body: &Value) {
        self.does(Does::Respond(json(body.to_string())));
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// The largest number of requests at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }
}
