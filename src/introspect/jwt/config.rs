//! The settings of a `JwtTokens`, as data.

use std::time::Duration;

use super::{Audience, Dialect};
use crate::jose::{Algorithm, Keys, RemoteKeys};

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) issuer: String,
    pub(super) keys: Keys,
    pub(super) remote: RemoteKeys,
    pub(super) audience: Audience,
    pub(super) dialect: Dialect,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) longest_lifetime: Duration,
    pub(super) leeway: Duration,
    pub(super) max_size: usize,
    pub(super) tenant: Option<String>,
    pub(super) cache_capacity: usize,
}

impl Config {
    pub(super) fn new(issuer: String, keys: Keys, audience: Audience) -> Self {
        Self {
            issuer,
            keys,
            remote: RemoteKeys::new(),
            audience,
            dialect: Dialect::rfc9068(),
            algorithms: asymmetric(Algorithm::ALL.iter().copied()),
            longest_lifetime: Duration::from_secs(24 * 60 * 60),
            leeway: Duration::from_secs(60),
            max_size: 16 * 1024,
            tenant: None,
            cache_capacity: 10_000,
        }
    }
}

pub(super) fn asymmetric(algorithms: impl IntoIterator<Item = Algorithm>) -> Vec<Algorithm> {
    let algorithms = algorithms.into_iter();
    algorithms
        .filter(|algorithm| !algorithm.is_hmac())
        .collect()
}
