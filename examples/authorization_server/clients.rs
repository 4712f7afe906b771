//! The clients of the demo, and the one authenticator of all endpoints.

use std::{error::Error, sync::Arc};

use serde_json::Value;
use tower::Layer as _;
use tower_revocation::{
    client::{
        assertion::{Assertions, AudiencePolicy},
        attestation::{Attestations, Challenges},
        limit::{LimitFailures, LimitFailuresLayer},
        password::Passwords,
        registry::{ClientAuthenticator, Registry},
        replay::ReplayGuard,
    },
    jose::KeySet,
};

use crate::{REVOKE, keys::Keys};

/// All endpoints share it: an assertion works once in total, and failures count together.
pub(crate) type Authenticator = LimitFailures<ClientAuthenticator<Registry>>;

/// The limit of failures in a minute, for one client from one address.
const FAILURES: u32 = 20;

/// The issuer of the attestations for the instances of `attested-client`.
const ATTESTER: &str = "https://attester.example";

/// The clients that come with this server. Some have secrets. Others have keys, which the server
/// creates at its first start.
pub(crate) fn demo(keys: &Keys) -> Result<Registry, Box<dyn Error>> {
    let mut clients: Vec<Value> = serde_json::from_str(include_str!("clients.json"))?;
    clients.extend(keys.clients()?);
    Ok(Registry::from_json(&Value::Array(clients).to_string())?)
}

/// The parts of the authenticator.
pub(crate) struct Setup<'a> {
    pub(crate) issuer: &'a str,
    /// The base URL of the endpoints behind TLS.
    pub(crate) tls: Option<&'a str>,
    /// Whether clients can show certificates at all. If not, the metadata must not offer the
    /// methods.
    pub(crate) certificates: bool,
    pub(crate) replays: Arc<dyn ReplayGuard>,
    pub(crate) challenges: Challenges,
    pub(crate) keys: &'a Keys,
}

impl Setup<'_> {
    pub(crate) fn authenticator(self, clients: Registry) -> Result<Authenticator, Box<dyn Error>> {
        let attester = KeySet::from_json(&self.keys.read("attester.json")?)?;
        let attestations = Attestations::new(self.issuer)
            .attester(ATTESTER, attester)
            .challenges(self.challenges.clone())
            .replay_guard(self.replays.clone());
        let authenticator = ClientAuthenticator::new(clients)
            .passwords(Passwords::new())
            .assertions(self.assertions())
            .attestations(attestations);
        let authenticator = if self.certificates {
            authenticator.certificates()
        } else {
            authenticator
        };
        let limit = LimitFailuresLayer::new().failures(FAILURES);
        Ok(limit.layer(authenticator))
    }

    /// Also accepts the URL of an endpoint as the audience. Some clients send it in the place of
    /// the issuer, among them Authlib.
    fn assertions(&self) -> Assertions {
        let bases = [self.issuer].into_iter().chain(self.tls);
        let endpoints = bases.flat_map(|base| {
            ["/oauth2/token", "/oauth2/introspect", REVOKE].map(|path| format!("{base}{path}"))
        });
        Assertions::new(self.issuer)
            .audience(AudiencePolicy::legacy(self.issuer, endpoints))
            .replay_guard(self.replays.clone())
    }
}
