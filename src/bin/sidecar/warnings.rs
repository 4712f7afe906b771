//! What a valid configuration may still lack.

use crate::config::{Config, Mode};

/// Says what a configuration leaves open, though it is a valid one.
pub(crate) fn warn(config: &Config, are_orders_kept: bool) {
    let forwards = config
        .revoke
        .as_ref()
        .is_some_and(|it| it.mode == Mode::Forward);
    let asks = config
        .issuers
        .iter()
        .all(|issuer| issuer.introspection.is_some());
    if forwards && !asks && config.links.is_none() {
        tracing::warn!(
            "a refresh token that is no JWT of an issuer is forwarded, and nothing is recorded: its \
             access tokens live until they expire; `introspection` or [links] changes that"
        );
    }
    if forwards && config.issuers.len() > 1 {
        tracing::warn!("revoke.upstream gets the tokens of every issuer that clients revoke");
    }
    let tells = config.issuers.iter().any(|it| it.on_revoke.is_some());
    if tells && !are_orders_kept {
        tracing::warn!("on_revoke tells nobody: orders are not kept here");
    }
    if config.revoke.as_ref().is_some_and(|it| it.allows_jsonp) {
        tracing::warn!(
            "revoke.dangerously_allow_jsonp: tokens are in URLs, which histories and logs keep; use \
             revoke.cors instead"
        );
    }
    if config.log.longest_lifetime.is_none() {
        tracing::warn!(
            "records are kept for ever, and a JWT counts for at most one day: set log.longest_lifetime \
             to the longest lifetime of any token"
        );
    }
}

/// Each connection of a client needs a file, and so does each request that is at the API.
pub(crate) fn warn_about_files(config: &Config, limit: Option<u64>) {
    let listeners = u64::try_from(config.listeners().count()).unwrap_or(u64::MAX);
    let connections = u64::try_from(config.limits.connections).unwrap_or(u64::MAX);
    let requests = u64::try_from(config.limits.upstream_requests).unwrap_or(u64::MAX);
    let needed = connections
        .saturating_mul(listeners)
        .saturating_add(requests);
    if let Some(limit) = limit.filter(|limit| *limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "this process may open fewer files than limits.connections and limits.upstream_requests \
             need: raise the limit, or lower the keys"
        );
    }
}
