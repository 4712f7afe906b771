//! Attestation-based client authentication.

use std::sync::Arc;

use hyper::HeaderMap;

use super::{Refusal, registry::Client};
use crate::endpoint::Error;

/// What attestations have to be.
#[derive(Debug)]
pub struct Attestations {}

/// An attestation and its proof, whose claims are in order. Nothing of them has been verified.
#[derive(Debug)]
pub(crate) struct Attested {
    subject: String,
}

impl Attested {
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }
}

impl Attestations {
    pub(crate) fn read(
        &self,
        _headers: &HeaderMap,
        _client_id: Option<&str>,
    ) -> Result<Attested, Error> {
        Err(Error::refused(Refusal::UntrustedAttestation))
    }

    pub(crate) async fn verify(
        &self,
        _attested: &Attested,
        _client: Result<Arc<Client>, Refusal>,
    ) -> Result<Arc<Client>, Error> {
        Err(Error::refused(Refusal::UntrustedAttestation))
    }

    pub(crate) fn signing_algs(&self) -> [Vec<&'static str>; 2] {
        Default::default()
    }
}
