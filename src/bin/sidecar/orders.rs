//! Orders of operators, by the socket and over TCP.

use serde_json::{Map, Value, json};
use tower_revocation::{
    admin::{Access, AdminPages, AdminService, Operators, Tenants, Trail},
    log::RevocationLog,
    revoke::{Administration, Handles},
};

use crate::{
    config::{Config, Problem, ProxyNames},
    failure::causes,
    files::Files,
    parts::Shared,
    tokens::{Introspect, Tokens},
};

/// Takes orders.
pub(crate) type Service<L> = AdminService<L, Introspect>;

/// Those who take orders.
pub(crate) struct Orders<L> {
    /// Of everybody who can open the socket.
    pub(crate) on_socket: Service<L>,
    /// Of the operators of `admin.tokens_file`. `None` without it.
    pub(crate) on_tcp: Option<Service<L>>,
    /// What they see in a browser.
    pub(crate) pages: Option<AdminPages>,
}

impl<L> Orders<L>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    pub(crate) fn new(
        config: &Config,
        shared: &Shared<L>,
        tokens: &Tokens,
        operators: Option<Operators>,
        handles: &Handles,
    ) -> Self {
        let administration = administration(config, shared);
        let service = |access| {
            let index = shared.index.clone();
            let introspect = tokens.for_revocation_with(shared.links.as_ref());
            let health = shared.health.clone();
            let place = config.log.location.shown();
            let issuers = config.issuers.iter().map(|issuer| &*issuer.url);
            let tenants = if config.log.tenants {
                Tenants::each_issuer(issuers)
            } else {
                Tenants::none(issuers)
            };
            let are_kept = shared.journal.is_some();
            let service =
                AdminService::new(administration.clone(), index, introspect, tenants, access)
                    .requests_per_minute(config.admin.requests_per_minute)
                    .details(move || details(&health, &place, are_kept));
            let service = match &config.sightings {
                Some(_) => service.sightings(shared.sightings.clone(), handles.clone()),
                None => service,
            };
            match trail(config, shared) {
                Some(trail) => service.trail(trail),
                None => service,
            }
        };
        let on_tcp = operators.map(|operators| {
            let hosts = hosts(config, shared.admin_address.map(|address| address.port()));
            let access = Access::operators(operators);
            let access = match config.admin.proxy_names.clone() {
                Some(ProxyNames { header, proxies }) => access.proxy_names(header, proxies),
                None => access,
            };
            let service = service(access.clone()).hosts(hosts.clone());
            let memory = shared.pages.as_ref().filter(|_| config.admin.pages);
            let pages = memory.map(|memory| memory.pages(config, &service, access, &hosts));
            (service, pages)
        });
        let (on_tcp, pages) = on_tcp.unzip();
        Self {
            on_socket: service(Access::owner("socket")).tell_causes(true),
            on_tcp,
            pages: pages.flatten(),
        }
    }
}

/// Keeps orders, and tells issuers about them. `None` if they are kept nowhere.
pub(crate) fn trail<L>(config: &Config, shared: &Shared<L>) -> Option<Trail> {
    let trail = Trail::new(shared.journal.clone()?).keep(config.admin.keep_orders);
    Some(trail.on_revoke(shared.notifier.clone()))
}

/// Appends records to the log.
pub(crate) fn administration<L: Clone>(config: &Config, shared: &Shared<L>) -> Administration<L> {
    let administration = Administration::new(shared.log.clone());
    match config.log.longest_lifetime {
        Some(lifetime) => administration.longest_lifetime(lifetime),
        None => administration,
    }
}

/// Those who take orders over TCP. `None` if nobody does.
pub(crate) fn operators(config: &Config, files: &mut Files) -> Result<Option<Operators>, Problem> {
    let Some(path) = &config.admin.tokens_file else {
        return Ok(None);
    };
    let key = "admin.tokens_file";
    let text = files.read(key, path)?;
    let tokens = Operators::parse(text.expose());
    let tokens = tokens
        .map_err(|error| Problem::new(key, format!("{}: {}", path.display(), causes(&error))))?;
    Ok(Some(tokens))
}

/// The names of the listener.
fn hosts(config: &Config, port: Option<u16>) -> Vec<String> {
    let mut hosts = config.admin.hosts.clone();
    if let (Some(listen), Some(port)) = (&config.admin.listen, port) {
        let mut address = listen.address;
        address.set_port(port);
        hosts.push(address.to_string());
        if address.ip().is_loopback() {
            hosts.push(format!("localhost:{port}"));
        }
    }
    hosts
}

/// What the status says beside the log and the index.
fn details(health: &crate::health::Health, place: &str, are_kept: bool) -> Map<String, Value> {
    let Value::Object(details) = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "log": place,
        "readiness": health.report(),
        "orders_are_kept": are_kept,
    }) else {
        return Map::new();
    };
    details
}
