//! The listeners of the program, and what each serves.

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tower_revocation::proxy::server::{Listener, ServerTls, TrustedPeers};

use crate::{
    admin::{Access, AdminEntry},
    config::{Config, Feed, Listen, Problem},
    current::Current,
    failure::Failure,
    files::Files,
    gateway::{ByPath, Entry},
    listeners::{Socket, bind, of_this_user, server},
    parts::{Certificate, Parts},
    store::Store,
    verify::Decide,
};

/// The addresses of the listeners, by their keys.
pub(crate) type Addresses = BTreeMap<&'static str, SocketAddr>;

/// The listeners, which a reload does not change.
pub(crate) struct Listening {
    gateway: Option<Current<Entry>>,
    verify: Option<Current<Decide>>,
    /// Served once the log is open.
    pub(crate) feed: Option<(Listener, Feed)>,
    /// By the key of the listener.
    tls: BTreeMap<&'static str, ServerTls>,
    /// The proxies that ask `[verify]`.
    proxies: TrustedPeers,
    /// The load balancers in front of the gateway.
    balancers: TrustedPeers,
    pub(crate) addresses: Addresses,
    socket: Option<Socket>,
    servers: JoinSet<()>,
    admin_servers: JoinSet<()>,
    stop: watch::Sender<bool>,
    stop_admin: watch::Sender<bool>,
}

impl Listening {
    /// Binds everything. The listeners of operators are served first.
    pub(crate) async fn start(config: &Config, admin: &AdminEntry) -> Result<Self, Failure> {
        let mut listening = Self {
            gateway: None,
            verify: None,
            feed: None,
            tls: certificates(config)?,
            proxies: TrustedPeers::default(),
            balancers: TrustedPeers::default(),
            addresses: Addresses::new(),
            socket: None,
            servers: JoinSet::new(),
            admin_servers: JoinSet::new(),
            stop: watch::Sender::new(false),
            stop_admin: watch::Sender::new(false),
        };
        if let Some((listener, socket)) = Socket::bind(&config.admin)? {
            listening.socket = Some(socket);
            let service = admin.over(Access::Socket);
            let listener = of_this_user(listener);
            let bounded = server(&config.limits, &config.run, None);
            let end = stopped(&listening.stop_admin);
            let served = async move { bounded.serve(listener, service, end).await };
            listening.admin_servers.spawn(served);
        }
        if let Some(listen) = &config.admin.listen {
            let key = "admin.listen";
            let listener = listening.bind(key, listen).await?;
            let service = admin.over(Access::Tcp);
            let tls = listening.tls.get(key).cloned();
            let bounded = server(&config.limits, &config.run, tls);
            let end = stopped(&listening.stop_admin);
            let served = async move { bounded.serve(listener, service, end).await };
            listening.admin_servers.spawn(served);
        }
        if let Some(gateway) = &config.gateway {
            let listener = listening.bind("gateway.listen", &gateway.listen).await?;
            let service = Current::new(ByPath::starting());
            listening.gateway = Some(service.clone());
            let balancers = gateway.trusted_proxies.iter().copied();
            listening.balancers.replace(balancers);
            listening.serve(listener.into(), "gateway.listen", config, service);
        }
        if let Some(verify) = &config.verify {
            let listener = listening.bind("verify.listen", &verify.listen).await?;
            let service = Current::new(Decide::Starting);
            listening.verify = Some(service.clone());
            listening.proxies.replace(verify.proxies());
            listening.serve(listener.into(), "verify.listen", config, service);
        }
        if let Some(feed) = &config.feed {
            let listener = listening.bind("feed.listen", &feed.listen).await?;
            listening.feed = Some((listener.into(), feed.clone()));
        }
        Ok(listening)
    }

    async fn bind(&mut self, key: &'static str, listen: &Listen) -> Result<TcpListener, Failure> {
        let (listener, address) = bind(key, listen).await?;
        self.addresses.insert(key, address);
        Ok(listener)
    }

    pub(crate) fn serve<S, B>(&mut self, listener: Listener, key: &str, config: &Config, service: S)
    where
        S: tower::Service<
                hyper::Request<hyper::body::Incoming>,
                Response = hyper::Response<B>,
                Error = Infallible,
            > + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
        B: hyper::body::Body<Data: Send, Error: Into<tower::BoxError>> + Send + 'static,
    {
        let mut bounded = server(&config.limits, &config.run, self.tls.get(key).cloned());
        match key {
            "verify.listen" => bounded = bounded.trusted_peers(self.proxies.clone()),
            "gateway.listen" => bounded = bounded.trusted_peers(self.balancers.clone()),
            _ => {}
        }
        let end = stopped(&self.stop);
        let served = async move { bounded.serve(listener, service, end).await };
        self.servers.spawn(served);
    }

    /// The services, certificates and trusted proxies of a configuration are in use from now on.
    pub(crate) fn replace(&self, config: &Config, parts: &mut Parts<Store>) {
        if let Some(verify) = &config.verify {
            self.proxies.replace(verify.proxies());
        }
        if let Some(gateway) = &config.gateway {
            let balancers = gateway.trusted_proxies.iter().copied();
            self.balancers.replace(balancers);
        }
        if let (Some(current), Some(service)) = (&self.gateway, parts.gateway.take()) {
            current.replace(service);
        }
        if let (Some(current), Some(service)) = (&self.verify, parts.verify.take()) {
            current.replace(service);
        }
        for Certificate { listener, tls } in &parts.certificates {
            if let Some(current) = self.tls.get(listener) {
                current.replace_by(tls);
            }
        }
    }

    /// No connections any more, and those that are open end.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.servers.join_next().await.is_some() {}
        // Operators see the end.
        self.stop_admin.send_replace(true);
        while self.admin_servers.join_next().await.is_some() {}
        drop(self.socket);
    }
}

/// The certificates at the start.
fn certificates(config: &Config) -> Result<BTreeMap<&'static str, ServerTls>, Problem> {
    let mut files = Files::default();
    let mut all = BTreeMap::new();
    for (key, listen) in config.listeners() {
        if let Some(certificate) = crate::parts::certificate(key, listen, &mut files)? {
            all.insert(key, certificate.tls);
        }
    }
    Ok(all)
}

/// Ready once the sender has sent, or is gone.
fn stopped(stop: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + use<> {
    let mut stop = stop.subscribe();
    async move { drop(stop.wait_for(|stop| *stop).await) }
}
