//! The revocation endpoint, in either mode.

use std::{convert::Infallible, sync::Arc};

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes};
use hyper_util::rt::TokioTimer;
use tower::{
    BoxError, Layer as _, Service, ServiceExt as _, service_fn, util::BoxCloneSyncService,
};
use tower_revocation::{
    Outcome, RevocationLayer, RevocationRequest,
    client::{
        Credentials, KeepCredentials, UnverifiedClients,
        assertion::{Assertions, AudiencePolicy},
        limit::{LimitFailures, LimitFailuresLayer},
        password::Passwords,
        registry::{Client, ClientAuthenticator, Registry},
        replay::ReplayGuard,
    },
    log::RevocationLog,
    profiles::Possession,
    revoke::{ForwardRevocation, RecordRevocation},
};

use crate::{
    config::{Config, Mode, Problem, Revoke},
    failure::causes,
    files::Files,
    gateway::{Inner, erased},
    parts::Shared,
    respond::empty,
    tokens::{Introspect, Tokens},
};

pub(crate) type Clients = LimitFailures<ClientAuthenticator<Registry>, Arc<Client>>;
type Record<L> = RecordRevocation<Introspect, L>;

/// The clients of the registry. `None` if there is no registry.
pub(crate) fn clients<L>(
    config: &Config,
    shared: &Shared<L>,
    files: &mut Files,
) -> Result<Option<Clients>, Problem> {
    let Some(revoke) = &config.revoke else {
        return Ok(None);
    };
    let Some(path) = &revoke.clients else {
        return Ok(None);
    };
    let key = "revoke.clients";
    let text = files.read(key, path)?;
    let issuers: Vec<_> = config.issuers.iter().map(|issuer| &*issuer.url).collect();
    let registry = Registry::from_json_of_issuers(text.expose(), &issuers);
    let registry = registry
        .map_err(|error| Problem::new(key, format!("{}: {}", path.display(), causes(&error))))?;
    let replays = shared.replays.clone();
    Ok(Some(authenticator(revoke, config, registry, replays)))
}

/// The revocation endpoint, for the profiles of other systems.
pub(crate) type Endpoint =
    BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, Infallible>;

/// What revokes tokens.
pub(crate) struct Revocation {
    /// The service of the path.
    pub(crate) service: Inner,
    pub(crate) endpoint: Endpoint,
    /// For whoever has a token. `None` if another server has the last word.
    pub(crate) by_possession: Option<Endpoint>,
}

/// The revocation endpoint. `None` if there is none.
pub(crate) fn revocation<L>(
    config: &Config,
    tokens: &Tokens,
    shared: &Shared<L>,
    clients: Option<Clients>,
) -> Result<Option<Revocation>, Problem>
where
    L: RevocationLog + Clone + Send + Sync + 'static,
{
    let Some(revoke) = &config.revoke else {
        return Ok(None);
    };
    let introspect = tokens.for_revocation_with(shared.links.as_ref());
    let mut record = RecordRevocation::new(introspect, shared.log.clone())
        .responsible_for_all_tokens(tokens.knows_all);
    if let Some(lifetime) = config.log.longest_lifetime {
        record = record.longest_lifetime(lifetime);
    }
    let issuers = config.issuers.iter().map(|issuer| &*issuer.url);
    record = if config.log.tenants {
        record.client_orders_within(issuers)
    } else {
        record.client_orders_of(issuers)
    };
    let by_possession = (revoke.mode == Mode::Terminate).then(|| {
        let layer = RevocationLayer::new("/", Possession, record.clone());
        BoxCloneSyncService::new(layer.timer(TokioTimer::new()).into_endpoint())
    });
    let (service, endpoint) = match (revoke.mode, clients) {
        (Mode::Terminate, Some(clients)) => mount(revoke, clients, record),
        (Mode::Forward, Some(clients)) => {
            let forward = forward(revoke, tokens, record)?;
            mount(revoke, KeepCredentials::new(clients), forward)
        }
        (Mode::Forward, None) => {
            let forward = forward(revoke, tokens, record)?;
            mount(revoke, UnverifiedClients::new(), forward)
        }
        (Mode::Terminate, None) => {
            return Err(Problem::new(
                "revoke.clients",
                "missing: nobody could revoke",
            ));
        }
    };
    Ok(Some(Revocation {
        service,
        endpoint,
        by_possession,
    }))
}

fn forward<L>(
    revoke: &Revoke,
    tokens: &Tokens,
    record: Record<L>,
) -> Result<ForwardRevocation<Introspect, L>, Problem> {
    let key = "revoke.upstream";
    let url = revoke.upstream.as_ref().map(ToString::to_string);
    let url = url.ok_or_else(|| Problem::new(key, "missing: nobody would revoke"))?;
    let forward = if revoke.insecure {
        ForwardRevocation::plain_http(&url, record)
    } else {
        ForwardRevocation::new(&url, record)
    };
    let mut forward = forward.map_err(|error| Problem::new(key, causes(&error)))?;
    if !revoke.audiences.is_empty() {
        forward = forward.audiences(&revoke.audiences);
    }
    if let Some(confirm) = &tokens.confirm {
        forward = forward.confirm_by(confirm.clone());
        if let Some(issuers) = &tokens.confirmed {
            forward = forward.confirm_tokens_of(issuers);
        }
    }
    Ok(forward)
}

/// Clients by secrets, by keys, and public ones. Guesses of a secret are limited.
fn authenticator(
    revoke: &Revoke,
    config: &Config,
    registry: Registry,
    replays: Option<Arc<dyn ReplayGuard>>,
) -> Clients {
    let mut clients = ClientAuthenticator::new(registry).passwords(Passwords::new());
    let issuers = || config.issuers.iter().map(|issuer| &*issuer.url);
    if let (Some(first), Some(replays)) = (issuers().next(), replays) {
        // Assertions are for the issuer of the client, or for what the configuration names.
        let audience = match &revoke.audiences[..] {
            [] => AudiencePolicy::issuers_of_client(issuers()),
            [only] => AudiencePolicy::issuer(only),
            [first, rest @ ..] => AudiencePolicy::legacy(first, rest),
        };
        let tenant = revoke.audiences.first().map_or(first, |audience| audience);
        let assertions = Assertions::new(tenant).audience(audience);
        clients = clients.assertions(assertions.replay_guard(replays));
    }
    LimitFailuresLayer::new().layer(clients)
}

/// The endpoint of an authenticator and a backend of the same clients.
fn mount<A, B, C>(revoke: &Revoke, authenticator: A, backend: B) -> (Inner, Endpoint)
where
    A: Service<Request<Credentials>, Response = Option<C>> + Clone + Send + Sync + 'static,
    A::Error: Into<BoxError>,
    A::Future: Send + 'static,
    B: Service<RevocationRequest<C>, Response = Outcome> + Clone + Send + Sync + 'static,
    B::Error: Into<BoxError>,
    B::Future: Send + 'static,
    C: Send + 'static,
{
    let authenticator = BoxCloneSyncService::new(authenticator.map_err(Into::into));
    let backend = BoxCloneSyncService::new(backend.map_err(Into::into));
    let mut layer = RevocationLayer::new(&*revoke.path, authenticator, backend)
        .timer(TokioTimer::new())
        .dangerously_allow_jsonp(revoke.allows_jsonp);
    if !revoke.cors.is_empty() {
        layer = layer.cors(revoke.cors.iter().cloned());
    }
    // All requests on this path come here.
    let elsewhere = service_fn(async |_| Ok::<_, Infallible>(empty(StatusCode::NOT_FOUND)));
    let service = erased(layer.layer(elsewhere));
    (service, BoxCloneSyncService::new(layer.into_endpoint()))
}
