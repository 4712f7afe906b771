//! Verifies the signature of an assertion, and uses up its `jti`.

use std::{sync::Arc, time::SystemTime};

use super::{Assertions, Claimed};
use crate::{
    client::{
        Refusal,
        key_errors::{key_fetch_failed, undecided},
        registry::Client,
        replay::Once,
    },
    error::Error,
    jose::{Algorithm, KeySet, Keys, RemoteError, RemoteKeys, decoy},
};

impl Assertions {
    /// Verifies the signature of the client, and uses up the `jti`. Without a client it does the
    /// same work, for nothing.
    ///
    /// # Errors
    ///
    /// Returns the refusal, or why the result is unknown.
    pub(crate) async fn verify(
        &self,
        claimed: &Claimed<'_>,
        client: Result<Arc<Client>, Refusal>,
        remote: &RemoteKeys,
    ) -> Result<Arc<Client>, Error> {
        let aud = claimed.jws.claims.get("aud");
        let is_for =
            |client: &Client| aud.is_some_and(|aud| self.audience.admits_from(client, aud));
        let signed = match &client {
            Ok(client) if !is_for(client) => Err(Refusal::WrongAudience),
            Ok(client) if claimed.jws.algorithm.is_hmac() => by_secret(claimed, client),
            Ok(client) => by_key(claimed, client, remote).await?,
            Err(refusal) => Err(*refusal),
        };
        if let Err(refusal) = signed {
            if refusal != Refusal::BadSignature {
                // No signature was verified yet. Do the same work, so that the time does not reveal
                // the reason.
                let jws = &claimed.jws;
                decoy::verify(jws.algorithm, jws.signing_input, &jws.signature);
            }
            return Err(Error::refused(refusal));
        }
        let client = client.map_err(Error::refused)?;
        let once = Once::new(&self.tenant, client.client_id(), &claimed.jti);
        let first = self.guard.use_up(once, claimed.until).await;
        if first.map_err(Error::from_service)? {
            Ok(client)
        } else {
            Err(Error::refused(Refusal::Replayed))
        }
    }
}

async fn by_key(
    claimed: &Claimed<'_>,
    client: &Client,
    remote: &RemoteKeys,
) -> Result<Result<(), Refusal>, Error> {
    let jws = &claimed.jws;
    // Check this first, so that no keys are fetched for an algorithm that is not allowed.
    if client.signs_with(jws.algorithm) == Some(false) {
        return Ok(Err(Refusal::AlgorithmNotAllowed));
    }
    let served = match client.keys() {
        None => return Ok(Err(Refusal::NoSuchKey)),
        Some(Keys::Set(keys)) => return by_one_of(claimed, keys),
        Some(Keys::Remote(place)) => {
            let served = remote.get(place, jws.kid()).await;
            served.map_err(key_fetch_failed)?
        }
    };
    let signed = by_one_of(claimed, &served.keys)?;
    match served.refresh_error_for(jws.kid()) {
        Some(error) if signed.is_err() => Err(undecided(error.clone())),
        _ => Ok(signed),
    }
}

fn by_secret(claimed: &Claimed<'_>, client: &Client) -> Result<(), Refusal> {
    let jws = &claimed.jws;
    let pinned = client.signs_with(jws.algorithm);
    if !pinned.unwrap_or(jws.algorithm == Algorithm::Hs256) {
        return Err(Refusal::AlgorithmNotAllowed);
    }
    // A key that is too short verifies nothing, and costs nothing.
    let keys = client.live_hmac_keys(SystemTime::now());
    let mut keys = keys.filter(|key| key.admits(jws.algorithm)).peekable();
    if keys.peek().is_none() {
        return Err(Refusal::NoSuchKey);
    }
    let verified = keys.any(|key| key.verify(jws.algorithm, jws.signing_input, &jws.signature));
    if verified {
        Ok(())
    } else {
        Err(Refusal::BadSignature)
    }
}

fn by_one_of(claimed: &Claimed<'_>, keys: &KeySet) -> Result<Result<(), Refusal>, Error> {
    let jws = &claimed.jws;
    let algorithm = jws.algorithm;
    let mut refusal = Refusal::NoSuchKey;
    for key in keys.candidates(jws.kid(), algorithm) {
        if key.verify(algorithm, jws.signing_input, &jws.signature) {
            return Ok(Ok(()));
        }
        refusal = Refusal::BadSignature;
    }
    if !keys.knows_all(jws.kid(), algorithm) {
        return Err(undecided(RemoteError::untried()));
    }
    Ok(Err(refusal))
}
