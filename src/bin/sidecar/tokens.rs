//! What a token is: the introspections of all issuers.

use std::time::Duration;

use tower::{BoxError, Service, ServiceExt as _, service_fn, util::BoxCloneSyncService};
use tower_revocation::{
    Secret,
    introspect::{
        ByIssuer, Introspected,
        jwt::{Audience, Dialect as JwtDialect, JwtTokens},
        upstream::{Upstream, UpstreamBuilder},
    },
    jose::{KeySet, Keys, RemoteKeys},
};

use crate::{
    config::{Config, Dialect, Introspection, Issuer, IssuerKeys, Method, Problem},
    failure::causes,
    files::Files,
};

/// An introspection of any kind.
pub(crate) type Introspect = BoxCloneSyncService<Secret, Introspected, BoxError>;

/// The introspections of all issuers.
pub(crate) struct Tokens {
    /// Access tokens for the API.
    pub(crate) for_checks: Introspect,
    /// All tokens that clients revoke, refresh tokens included.
    pub(crate) for_revocation: Introspect,
    /// Asks anew whether a token is alive, where there is somebody to ask.
    pub(crate) confirm: Option<Introspect>,
    /// Whether each issuer has an introspection endpoint that knows all of its tokens.
    pub(crate) knows_all: bool,
    /// Those whose keys are fetched, each with its name.
    pub(crate) by_keys: Vec<(String, JwtTokens)>,
}

impl Tokens {
    /// Reads the files of the issuers. It asks no server yet.
    pub(crate) fn new(
        config: &Config,
        keys: &RemoteKeys,
        files: &mut Files,
    ) -> Result<Self, Problem> {
        let mut all = Vec::new();
        for (number, issuer) in config.issuers.iter().enumerate() {
            let key = format!("issuer[{number}]");
            all.push(OfIssuer::new(&key, issuer, config, keys, files)?);
        }
        let by_keys = all.iter().filter_map(|of| of.fetched.clone()).collect();
        let knows_all = config.issuers.iter().all(|issuer| {
            let endpoint = issuer.introspection.as_ref();
            endpoint.is_some_and(|endpoint| endpoint.knows_all_tokens)
        });
        Ok(Self {
            for_checks: combined(config, all.iter().map(|of| Some(of.for_checks.clone()))),
            for_revocation: combined(config, all.iter().map(|of| Some(of.for_revocation.clone()))),
            confirm: (all.iter().any(|of| of.asked.is_some()))
                .then(|| combined(config, all.iter().map(|of| of.asked.clone()))),
            knows_all,
            by_keys,
        })
    }
}

/// The introspections of one issuer.
struct OfIssuer {
    for_checks: Introspect,
    for_revocation: Introspect,
    /// Its endpoint, without a cache.
    asked: Option<Introspect>,
    fetched: Option<(String, JwtTokens)>,
}

impl OfIssuer {
    fn new(
        key: &str,
        issuer: &Issuer,
        config: &Config,
        keys: &RemoteKeys,
        files: &mut Files,
    ) -> Result<Self, Problem> {
        let endpoint = match &issuer.introspection {
            Some(endpoint) => Some(endpoint_of(key, issuer, endpoint, config, files)?),
            None => None,
        };
        let build = |builder: UpstreamBuilder| {
            let built = builder.build();
            built.map_err(|error| Problem::new(format!("{key}.introspection"), causes(&error)))
        };
        let audience = Audience::any_of(&issuer.audience);
        let jwt = jwt(key, issuer, config, keys, files)?;
        let asked = match &endpoint {
            Some(endpoint) => {
                let fresh = endpoint.clone().cache(Duration::ZERO, 0);
                Some(boxed(build(fresh)?))
            }
            None => None,
        };
        let endpoint = endpoint.map(|endpoint| {
            let checked = build(endpoint.clone().audience(audience))?;
            Ok::<_, Problem>((checked, build(endpoint)?))
        });
        Ok(match (jwt, endpoint.transpose()?) {
            (Some(jwt), endpoint) => Self {
                for_checks: boxed(jwt.clone()),
                for_revocation: match endpoint {
                    Some((_, all)) => or_else(jwt.clone(), all),
                    None => boxed(jwt.clone()),
                },
                asked,
                fetched: is_fetched(&issuer.keys).then(|| (issuer.url.clone(), jwt)),
            },
            (None, Some((checked, all))) => Self {
                for_checks: boxed(checked),
                for_revocation: boxed(all),
                asked,
                fetched: None,
            },
            (None, None) => {
                let reason = "missing: nobody else knows opaque tokens";
                return Err(Problem::new(format!("{key}.introspection"), reason));
            }
        })
    }
}

fn is_fetched(keys: &IssuerKeys) -> bool {
    matches!(keys, IssuerKeys::Discovered | IssuerKeys::At(_))
}

/// The JWTs of an issuer. `None` if its tokens are opaque.
fn jwt(
    key: &str,
    issuer: &Issuer,
    config: &Config,
    remote: &RemoteKeys,
    files: &mut Files,
) -> Result<Option<JwtTokens>, Problem> {
    let dialect = match issuer.dialect {
        Dialect::Rfc9068 => JwtDialect::rfc9068(),
        Dialect::Keycloak => JwtDialect::keycloak(),
        Dialect::Auth0 => JwtDialect::auth0(),
        Dialect::Cognito => JwtDialect::cognito(),
        Dialect::Okta => JwtDialect::okta(),
        Dialect::Wso2 => JwtDialect::wso2(),
        Dialect::Entra => JwtDialect::entra(),
        Dialect::Opaque => return Ok(None),
    };
    let url = &issuer.url;
    let (part, keys) = match (&issuer.keys, issuer.insecure) {
        (IssuerKeys::Discovered | IssuerKeys::None, false) => ("url", Keys::from_issuer(url)),
        (IssuerKeys::Discovered | IssuerKeys::None, true) => {
            ("url", Keys::from_plain_http_issuer(url))
        }
        (IssuerKeys::At(uri), false) => ("jwks", Keys::from_uri(uri)),
        (IssuerKeys::At(uri), true) => ("jwks", Keys::from_plain_http_uri(uri)),
        (IssuerKeys::File(path), _) => {
            let key = format!("{key}.jwks_file");
            let text = files.read(&key, path)?;
            let set = KeySet::from_json(text.expose()).map_err(|error| {
                Problem::new(&key, format!("{}: {}", path.display(), causes(&error)))
            })?;
            ("jwks_file", Ok(Keys::from(set)))
        }
    };
    let keys = keys.map_err(|error| Problem::new(format!("{key}.{part}"), causes(&error)))?;
    let mut tokens = JwtTokens::new(url, keys, Audience::any_of(&issuer.audience))
        .dialect(dialect)
        .remote_keys(remote.clone());
    if config.log.tenants {
        tokens = tokens.tenant(url);
    }
    if let Some(lifetime) = config.log.longest_lifetime {
        tokens = tokens.longest_lifetime(lifetime);
    }
    Ok(Some(tokens))
}

fn endpoint_of(
    key: &str,
    issuer: &Issuer,
    endpoint: &Introspection,
    config: &Config,
    files: &mut Files,
) -> Result<UpstreamBuilder, Problem> {
    let key = |part| format!("{key}.introspection.{part}");
    let mut builder = Upstream::builder(&endpoint.url).allow_plain_http(issuer.insecure);
    if config.log.tenants {
        builder = builder.tenant(&issuer.url);
    }
    if let Some(path) = &endpoint.token_file {
        builder = builder.bearer(&files.secret(&key("token_file"), path)?);
    }
    if let (Some(client_id), Some(path)) = (&endpoint.client_id, &endpoint.secret_file) {
        let secret = files.secret(&key("secret_file"), path)?;
        builder = match endpoint.method {
            Method::Basic => builder.basic(client_id, &secret),
            Method::Post => builder.post(client_id, &secret),
        };
    }
    Ok(builder)
}

/// One introspection for the tokens of all issuers. `None`: the issuer has none of this kind.
fn combined(config: &Config, each: impl Iterator<Item = Option<Introspect>>) -> Introspect {
    let mut each: Vec<_> = config.issuers.iter().zip(each).collect();
    // The tokens of a single issuer need not say whose they are.
    if let [(_, Some(only))] = &each[..] {
        return only.clone();
    }
    let mut all = ByIssuer::new();
    // JWTs name their issuer.
    each.retain(|(issuer, service)| {
        if let (Some(service), false) = (service, issuer.dialect == Dialect::Opaque) {
            all = std::mem::take(&mut all).issuer(&issuer.url, service.clone());
        }
        issuer.dialect == Dialect::Opaque
    });
    for (issuer, service) in each {
        if let Some(service) = service {
            all = all.default_issuer(&issuer.url, service);
        }
    }
    boxed(all)
}

/// Asks the endpoint about what is not an access token for the API, such as a refresh token.
fn or_else(jwt: JwtTokens, endpoint: Upstream) -> Introspect {
    BoxCloneSyncService::new(service_fn(move |token: Secret| {
        let (jwt, endpoint) = (jwt.clone(), endpoint.clone());
        async move {
            let first = jwt.oneshot(token.clone()).await?;
            if first.token().is_some() {
                return Ok(first);
            }
            let second = endpoint.oneshot(token).await?;
            // The endpoint says nothing about a token that is expired.
            let is_known = !matches!(second, Introspected::Unrecognised(_));
            Ok::<_, BoxError>(if is_known { second } else { first })
        }
    }))
}

fn boxed<S>(service: S) -> Introspect
where
    S: Service<Secret, Response = Introspected> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    BoxCloneSyncService::new(service.map_err(Into::into))
}
