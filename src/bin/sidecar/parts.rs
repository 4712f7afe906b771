//! What a configuration makes. A reload makes all of it anew, or nothing.

use std::{fmt, net::SocketAddr, sync::Arc};

use tower_revocation::{
    client::replay::ReplayGuard,
    enforce::{EnforcementLayer, Index},
    introspect::jwt::JwtTokens,
    jose::RemoteKeys,
    log::{FeedService, Journal, RevocationLog},
    notify::{Notifier, Recipients},
    proxy::server::ServerTls,
    revoke::{Handles, Links},
    sightings::{Sightings, SightingsLayer},
};
use tracing_subscriber::filter::Targets;

use crate::{
    config::{Config, Feed, Listen, Problem, Problems},
    failure::causes,
    files::Files,
    gateway::{self, ByPath, Entry},
    health::Health,
    logging, on_revoke,
    orders::{self, Orders},
    pages,
    profiles::Around,
    revocation, sightings, token_endpoint,
    tokens::Tokens,
    verify::Decide,
};

/// What outlives a reload.
#[derive(Clone)]
pub(crate) struct Shared<L> {
    pub(crate) log: L,
    /// Whether that is the log of the configuration. Otherwise the configuration is only checked.
    pub(crate) is_open: bool,
    pub(crate) index: Index,
    /// The keys that were fetched.
    pub(crate) keys: RemoteKeys,
    /// Which assertions were used. `None`: none can be accepted.
    pub(crate) replays: Option<Arc<dyn ReplayGuard>>,
    /// Which access tokens belong to an opaque refresh token. `None`: that is not learnt.
    pub(crate) links: Option<Links>,
    /// Where orders of operators are kept. `None`: nowhere.
    pub(crate) journal: Option<Arc<dyn Journal>>,
    /// Which tokens were used here, if the configuration wants to know.
    pub(crate) sightings: Sightings,
    /// Identifiers that live as long as the process.
    pub(crate) handles: Handles,
    /// Tells issuers about the orders.
    pub(crate) notifier: Notifier,
    pub(crate) health: Health,
    /// `None` if the configuration is only checked.
    pub(crate) pages: Option<pages::Memory>,
    /// The address of the listener of operators.
    pub(crate) admin_address: Option<SocketAddr>,
}

/// What a configuration makes.
pub(crate) struct Parts<L> {
    pub(crate) gateway: Option<Entry>,
    pub(crate) verify: Option<Decide>,
    /// The certificate of each listener that has one.
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) levels: Targets,
    pub(crate) orders: Orders<L>,
    /// Who is told about orders.
    pub(crate) recipients: Recipients,
    /// Those whose keys are fetched, each with its name.
    pub(crate) by_keys: Vec<(String, JwtTokens)>,
}

/// The certificate of a listener.
pub(crate) struct Certificate {
    /// The key of the listener.
    pub(crate) listener: &'static str,
    pub(crate) tls: ServerTls,
}

impl<L> Parts<L>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    /// Reads the files that the configuration names, and makes the services.
    pub(crate) fn new(
        config: &Config,
        shared: &Shared<L>,
        files: &mut Files,
    ) -> Result<Self, Problems> {
        let mut found = Problems::default();
        // Everything is read, so that all mistakes are found.
        let levels = found.or_note(logging::levels(&config.logging));
        let tokens = found.or_note(Tokens::new(config, &shared.keys, files));
        let clients = found.or_note(revocation::clients(config, shared, files));
        let operators = found.or_note(orders::operators(config, files));
        let handles = found.or_note(sightings::handles(config, shared, files));
        let recipients = found.or_note(on_revoke::recipients(config, files));
        let links = config.links.as_ref();
        let links = links.map(|links| token_endpoint::forwarding(links, &config.limits));
        let links = found.or_note(links.transpose());
        let mut certificates = Vec::new();
        for (key, listen) in config.listeners() {
            let certificate = found.or_note(certificate(key, listen, files));
            certificates.extend(certificate.flatten());
        }
        // The file that others read again by themselves.
        if let Some(feed) = &config.feed {
            found.or_note(check_tokens(feed, files));
        }
        let read = levels.zip(tokens).zip(clients).zip(operators).zip(links);
        let read = found.none_in(read.zip(handles).zip(recipients))?;
        let ((((((levels, tokens), clients), operators), links), handles), recipients) = read;

        let enforcement = || EnforcementLayer::new(tokens.for_checks.clone(), shared.index.clone());
        let mut endpoints = Vec::new();
        let revocation = revocation::revocation(config, &tokens, shared, clients)?;
        if let (Some(revoke), Some(revocation)) = (&config.revoke, &revocation) {
            endpoints.push((revoke.path.clone(), revocation.service.clone()));
        }
        // Without a store the configuration is only checked.
        if let (Some(links), Some(forwarding), Some(store)) = (&config.links, links, &shared.links)
        {
            let index = &shared.index;
            endpoints.push(token_endpoint::endpoint(
                links, forwarding, store, &tokens, index,
            ));
        }
        let gateway = match &config.gateway {
            Some(gateway) => {
                let noting = config.sightings.as_ref();
                let noting = noting.map(|_| SightingsLayer::new(shared.sightings.clone()));
                let of_users = config.me.as_ref().is_some_and(|me| me.pages.is_some());
                let has_pages = of_users || config.admin.pages;
                let limits = &config.limits;
                let api = gateway::api(gateway, limits, enforcement(), noting, has_pages)?;
                let profiles = revocation.map(|revocation| {
                    let around = Around {
                        index: shared.index.clone(),
                        endpoint: revocation.endpoint,
                        by_possession: revocation.by_possession,
                        introspect: tokens.for_revocation_with(shared.links.as_ref()),
                        api: api.clone(),
                    };
                    around.services(&config.profiles)
                });
                let mut below = profiles.unwrap_or_default();
                below.extend(config.me.iter().flat_map(|me| {
                    let administration = orders::administration(config, shared);
                    let introspect = tokens.for_revocation_with(shared.links.as_ref());
                    let handles = handles.clone();
                    sightings::own_sessions(
                        me,
                        shared,
                        handles,
                        administration,
                        enforcement(),
                        introspect,
                    )
                }));
                Some(ByPath::serving(gateway, endpoints, below, api))
            }
            None => None,
        };
        let verify = config.verify.as_ref();
        let verify = verify.map(|verify| Decide::new(verify, enforcement()));
        Ok(Self {
            gateway,
            verify,
            certificates,
            levels,
            orders: Orders::new(config, shared, &tokens, operators, &handles),
            recipients,
            by_keys: tokens.by_keys,
        })
    }
}

fn check_tokens(feed: &Feed, files: &mut Files) -> Result<(), Problem> {
    let key = "feed.tokens_file";
    files.secret(key, &feed.tokens_file)?;
    let checked = FeedService::check_token_file(&feed.tokens_file);
    checked.map_err(|error| Problem::new(key, causes(&error)))
}

pub(crate) fn certificate(
    listener: &'static str,
    listen: &Listen,
    files: &mut Files,
) -> Result<Option<Certificate>, Problem> {
    let Some(tls) = &listen.tls else {
        return Ok(None);
    };
    let section = listener.trim_end_matches(".listen");
    let of = |part| format!("{section}.tls.{part}");
    let chain = files.read(&of("cert"), &tls.cert)?;
    let key = files.read(&of("key"), &tls.key)?;
    let authorities = tls.client_ca.as_ref();
    let authorities = authorities.map(|ca| files.read(&of("client_ca"), ca));
    let (chain, key) = (chain.expose().as_bytes(), key.expose().as_bytes());
    let tls = match authorities.transpose()? {
        Some(authorities) => ServerTls::for_clients_of(chain, key, authorities.expose().as_bytes()),
        None => ServerTls::from_pem(chain, key),
    };
    let tls = tls.map_err(|error| Problem::new(format!("{section}.tls"), causes(&error)))?;
    Ok(Some(Certificate { listener, tls }))
}

impl<L> fmt::Debug for Parts<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}
