//! Is a request a repetition of an earlier one?

use hyper::HeaderMap;
use sha2::{Digest as _, Sha256};

use super::super::{
    Caller,
    problem::Refusal,
    service::Shared,
    trail::{Begun, IdempotencyKey},
};

/// The key of a request, and a digest of what it orders.
pub(super) struct Repetition {
    key: IdempotencyKey,
    request: [u8; 32],
}

impl<L> Shared<L> {
    /// `None` if the request has no key.
    pub(super) fn repetition(
        &self,
        headers: &HeaderMap,
        caller: &Caller,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Repetition>, Refusal> {
        let Some(key) = IdempotencyKey::read(headers, caller.name())? else {
            return Ok(None);
        };
        if self.trail.is_none() {
            return Err(Refusal::BadRequest(
                "the server keeps no orders, so it accepts no Idempotency-Key",
            ));
        }
        let request = Sha256::new().chain_update(path).chain_update([0]);
        let request = request.chain_update(body).finalize().into();
        Ok(Some(Repetition { key, request }))
    }
}

impl Repetition {
    /// The key of one of the orders in the journal.
    pub(super) fn key_of(&self, number: usize) -> [u8; 32] {
        self.key.digest_of(number)
    }

    pub(super) fn fingerprint(&self) -> &str {
        self.key.fingerprint()
    }

    pub(super) fn request(&self) -> [u8; 32] {
        self.request
    }

    /// # Errors
    ///
    /// Fails if the key is in use for another request.
    pub(super) fn check(&self, begun: &Begun) -> Result<(), Refusal> {
        if begun.entry.request == Some(self.request) {
            return Ok(());
        }
        Err(Refusal::Unprocessable(
            "the Idempotency-Key was used with another request",
        ))
    }
}
