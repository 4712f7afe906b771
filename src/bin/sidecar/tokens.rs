//! What a token is: the introspections of all issuers.

use std::time::Duration;

use tower::{BoxError, Service, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    introspect::{
        Introspected,
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
    issuers,
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
            for_checks: issuers::for_checks(config, &all),
            for_revocation: issuers::for_revocation(config, &all),
            confirm: issuers::confirm(config, &all),
            confirmed: issuers::confirmed(config, &all),
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
pub(crate) struct OfIssuer {
    pub(crate) for_checks: Introspect,
    pub(crate) for_revocation: Introspect,
    /// Its endpoint.
    pub(crate) endpoint: Option<Introspect>,
    /// Its endpoint, without a cache.
    pub(crate) asked: Option<Introspect>,
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
    let dialect = match &issuer.grant_claim {
        Some(claim) => dialect.grant(claim),
        None => dialect,
    };
    let dialect = match &issuer.ancestors_claim {
        Some(claim) => dialect.ancestors(claim),
        None => dialect,
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

pub(crate) fn boxed<S>(service: S) -> Introspect
where
    S: Service<Secret, Response = Introspected> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    Shared::new(service.map_err(Into::into))
}
