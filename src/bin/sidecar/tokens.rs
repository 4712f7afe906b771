//! What a token is: the introspections of all issuers.

use std::time::Duration;

use tower::{BoxError, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    introspect::{
        ByIssuer, Introspected, Reason,
        jwt::{Audience, Dialect as JwtDialect, JwtTokens},
        upstream::{Upstream, UpstreamBuilder},
    },
    jose::{KeySet, Keys, RemoteKeys},
    revoke::{LinkedTokens, Links},
};

use crate::{
    config::{Config, Dialect, Introspection, Issuer, IssuerKeys, Method, Problem, Problems},
    failure::causes,
    files::Files,
    shared::Shared,
};

/// An introspection of any kind.
pub(crate) type Introspect = Shared<Secret, Introspected, BoxError>;

/// The introspections of all issuers.
pub(crate) struct Tokens {
    /// Access tokens for the API.
    pub(crate) for_checks: Introspect,
    /// All tokens that clients revoke, refresh tokens included.
    for_revocation: Introspect,
    /// Asks anew whether a token is alive, where there is somebody to ask.
    pub(crate) confirm: Option<Introspect>,
    /// The issuers that can be asked, if there are others.
    pub(crate) confirmed: Option<Vec<String>>,
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
    ) -> Result<Self, Problems> {
        let mut found = Problems::default();
        let mut all = Vec::new();
        for (number, issuer) in config.issuers.iter().enumerate() {
            let key = format!("issuer[{number}]");
            all.extend(found.or_note(OfIssuer::new(&key, issuer, config, keys, files)));
        }
        let all = found.none_in(Some(all))?;
        let by_keys = all.iter().filter_map(|of| of.fetched.clone()).collect();
        let knows_all = config.issuers.iter().all(|issuer| {
            let endpoint = issuer.introspection.as_ref();
            endpoint.is_some_and(|endpoint| endpoint.knows_all_tokens)
        });
        Ok(Self {
            for_checks: for_checks(config, &all),
            for_revocation: for_revocation(config, &all),
            confirm: confirm(config, &all),
            confirmed: confirmed(config, &all),
            knows_all,
            by_keys,
        })
    }

    /// All tokens that clients revoke, and the refresh tokens that links know.
    pub(crate) fn for_revocation_with(&self, links: Option<&Links>) -> Introspect {
        let others = self.for_revocation.clone();
        match links {
            Some(links) => boxed(LinkedTokens::new(links.clone(), others)),
            None => others,
        }
    }
}

/// The introspections of one issuer.
struct OfIssuer {
    for_checks: Introspect,
    for_revocation: Introspect,
    /// Its endpoint.
    endpoint: Option<Introspect>,
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
        let endpoint = endpoint.transpose()?;
        let any = endpoint.as_ref().map(|(_, all)| boxed(all.clone()));
        Ok(match (jwt, endpoint) {
            (Some(jwt), endpoint) => Self {
                for_checks: boxed(jwt.clone()),
                for_revocation: match endpoint {
                    Some((_, all)) => or_else(jwt.clone(), all),
                    None => boxed(jwt.clone()),
                },
                endpoint: any,
                asked,
                fetched: is_fetched(&issuer.keys).then(|| (issuer.url.clone(), jwt)),
            },
            (None, Some((checked, all))) => Self {
                for_checks: boxed(checked),
                for_revocation: boxed(all),
                endpoint: any,
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

/// Access tokens: JWTs name their issuer, and others are those of the issuer of opaque tokens.
fn for_checks(config: &Config, all: &[OfIssuer]) -> Introspect {
    // The tokens of a single issuer need not say whose they are.
    if let [only] = all {
        return only.for_checks.clone();
    }
    let mut tokens = by_name(config, all.iter().map(|of| Some(&of.for_checks)));
    for (issuer, of) in config.issuers.iter().zip(all) {
        if issuer.dialect == Dialect::Opaque {
            tokens = tokens.default_issuer(&issuer.url, of.for_checks.clone());
        }
    }
    boxed(tokens)
}

/// All tokens: each issuer may have issued one that names nobody, such as a refresh token.
fn for_revocation(config: &Config, all: &[OfIssuer]) -> Introspect {
    if let [only] = all {
        return only.for_revocation.clone();
    }
    let named = by_name(config, all.iter().map(|of| Some(&of.for_revocation)));
    or_any(named, alone(config, all.iter().map(|of| &of.endpoint)))
}

/// The endpoints of all issuers, without caches. `None` if there is none.
fn confirm(config: &Config, all: &[OfIssuer]) -> Option<Introspect> {
    if let [only] = all {
        return only.asked.clone();
    }
    let endpoints = alone(config, all.iter().map(|of| &of.asked));
    let named = by_name(config, all.iter().map(|of| of.asked.as_ref()));
    (!endpoints.is_empty()).then(|| or_any(named, endpoints))
}

/// That nobody knows a token says nothing if its issuer was not asked.
fn confirmed(config: &Config, all: &[OfIssuer]) -> Option<Vec<String>> {
    let of_each = config.issuers.iter().zip(all);
    let asked = of_each.filter(|(_, of)| of.asked.is_some());
    let asked: Vec<_> = asked.map(|(issuer, _)| issuer.url.clone()).collect();
    (asked.len() < all.len()).then_some(asked)
}

/// The introspections of the issuers that their JWTs name. `None`: the issuer has none.
fn by_name<'a>(
    config: &Config,
    each: impl Iterator<Item = Option<&'a Introspect>>,
) -> ByIssuer<Introspect> {
    let mut all = ByIssuer::new();
    for (issuer, service) in config.issuers.iter().zip(each) {
        if let (Some(service), false) = (service, issuer.dialect == Dialect::Opaque) {
            all = all.issuer(&issuer.url, service.clone());
        }
    }
    all
}

/// The endpoints, each for the tokens of its issuer only.
fn alone<'a>(
    config: &Config,
    endpoints: impl Iterator<Item = &'a Option<Introspect>>,
) -> Vec<Introspect> {
    let each = config.issuers.iter().zip(endpoints);
    each.filter_map(|(issuer, endpoint)| {
        let endpoint = endpoint.clone()?;
        let only = ByIssuer::new().default_issuer(&issuer.url, endpoint);
        Some(boxed(only))
    })
    .collect()
}

/// Asks each endpoint about a token that names none of the issuers. The one that knows it counts. If
/// none does, an error of one of them is the result: the token may be one of its issuer.
fn or_any(named: ByIssuer<Introspect>, endpoints: Vec<Introspect>) -> Introspect {
    let named = boxed(named);
    Shared::new(service_fn(move |token: Secret| {
        let (named, endpoints) = (named.clone(), endpoints.clone());
        async move {
            let mut result = named.oneshot(token.clone()).await?;
            if !names_nobody(&result) {
                return Ok(result);
            }
            let mut failure = None;
            for endpoint in endpoints {
                match endpoint.oneshot(token.clone()).await {
                    Ok(Introspected::Token(known)) => return Ok(known.into()),
                    Ok(Introspected::Unrecognised(_)) => {}
                    Ok(unhandled) => result = unhandled,
                    Err(error) => failure = Some(error),
                }
            }
            match failure {
                Some(error) => Err(error),
                None => Ok::<_, BoxError>(result),
            }
        }
    }))
}

/// Whether no issuer has been asked about the token, because it names none of them.
fn names_nobody(first: &Introspected) -> bool {
    let no_name = [Reason::NotAToken, Reason::Issuer];
    matches!(first, Introspected::Unrecognised(reason) if no_name.contains(reason))
}

/// Asks the endpoint about what is not an access token for the API, such as a refresh token.
fn or_else(jwt: JwtTokens, endpoint: Upstream) -> Introspect {
    Shared::new(service_fn(move |token: Secret| {
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
    Shared::new(service.map_err(Into::into))
}
