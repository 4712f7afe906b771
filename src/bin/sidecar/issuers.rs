//! Which issuer is asked about a token, if there are several.

use tower::{BoxError, ServiceExt as _, service_fn};
use tower_revocation::{
    Secret,
    introspect::{ByIssuer, Introspected, Reason},
};

use crate::{
    config::{Config, Dialect},
    shared::Shared,
    tokens::{Introspect, OfIssuer, boxed},
};

/// Access tokens: JWTs name their issuer, and others are those of the issuer of opaque tokens.
pub(crate) fn for_checks(config: &Config, all: &[OfIssuer]) -> Introspect {
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
pub(crate) fn for_revocation(config: &Config, all: &[OfIssuer]) -> Introspect {
    if let [only] = all {
        return only.for_revocation.clone();
    }
    let named = by_name(config, all.iter().map(|of| Some(&of.for_revocation)));
    or_any(named, alone(config, all.iter().map(|of| &of.endpoint)))
}

/// The endpoints of all issuers, without caches. `None` if there is none.
pub(crate) fn confirm(config: &Config, all: &[OfIssuer]) -> Option<Introspect> {
    if let [only] = all {
        return only.asked.clone();
    }
    let endpoints = alone(config, all.iter().map(|of| &of.asked));
    let named = by_name(config, all.iter().map(|of| of.asked.as_ref()));
    (!endpoints.is_empty()).then(|| or_any(named, endpoints))
}

/// That nobody knows a token says nothing if its issuer was not asked.
pub(crate) fn confirmed(config: &Config, all: &[OfIssuer]) -> Option<Vec<String>> {
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
