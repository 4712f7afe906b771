//! Verifies passwords.

use std::{
    fmt,
    hint::black_box,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tower::BoxError;

use super::{PasswordHash, fair_queue::Permit, remembered::Remembered, workers::Workers};
use crate::{client::subscriber, error::Error, token::Secret};

/// Verifies passwords off the async threads, a limited number at a time.
///
/// * **Limited.** By default there are as many [`permits`](Self::permits) as cores, and a
///   [`queue`](Self::queue) of at most 64 verifications that wait for one. The permits also limit
///   the memory: one verification needs what its hash states, at most 256 MiB.
/// * **Fair.** A permit goes to the address that has had the fewest. If the queue is full, the
///   latest request of the address with the most requests is refused with 503 and `Retry-After`. So
///   an address that guesses delays only itself, and delays others by at most the verification that
///   is running. An IPv6 address counts as its /64. **Requests without an address count as one
///   address**: then guesses can fill the queue for all of them.
/// * **Remembered.** A correct secret is accepted for one more minute without work, so that a busy
///   client does not pay each time: see [`remembered_for`](Self::remembered_for).
/// * **Equal work.** For a client without a hash, or an unknown client, a decoy is verified: see
///   [`decoy`](Self::decoy).
///
/// A clone shares permits and memory. Configure before you clone: `permits` and `queue` give the
/// value that they return a queue of its own.
///
/// ```
/// use tower_revocation::{Secret, client::password::{PasswordHash, Passwords}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hash = PasswordHash::parse("$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW")?;
/// let passwords = Passwords::new();
///
/// let secret = Secret::new("secret");
/// assert!(passwords.verify("s6BhdRkqt3", &secret, [Some(&hash), None]).await?);
/// assert!(!passwords.verify("nobody", &secret, [None, None]).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Passwords {
    pub(super) workers: Workers,
    remembered: Arc<Remembered>,
    remembered_for: Duration,
    decoy: PasswordHash,
}

/// Of no known password, with the costs that OWASP recommends.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                     $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Passwords {
    /// Uses as many permits as there are cores, and remembers secrets for one minute.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random numbers.
    #[must_use]
    pub fn new() -> Self {
        Self {
            workers: Workers::new(),
            remembered: Arc::new(Remembered::new()),
            remembered_for: Duration::from_secs(60),
            decoy: PasswordHash::parse(DECOY).expect("the decoy is within the limits"),
        }
    }

    /// Sets how many verifications run at a time. Defaults to the number of cores. More than that
    /// makes each of them slower, and takes the cores from all other work.
    ///
    /// # Panics
    ///
    /// Panics if it is zero, because nothing could be verified.
    #[must_use]
    pub fn permits(mut self, at_a_time: usize) -> Self {
        self.workers.limit(at_a_time);
        self
    }

    /// Sets how many verifications of all addresses may wait for a permit. Defaults to 64.
    ///
    /// The last one waits for all others. With zero, none waits: a verification that finds no
    /// permit is refused with 503.
    #[must_use]
    pub fn queue(mut self, waiting: usize) -> Self {
        self.workers.queue(waiting);
        self
    }

    /// Sets how long a correct secret is accepted again without work. Defaults to 1 min. Zero
    /// disables it.
    ///
    /// The time starts with the verification, and use does not extend it. The memory holds at most
    /// 10 000 digests of client, hash and secret under a random key of this process. **It does not
    /// admit a client whose hash was replaced or removed.** Within this time, someone with a copy
    /// of the process memory can test guesses quickly.
    #[must_use]
    pub fn remembered_for(mut self, remembered_for: Duration) -> Self {
        self.remembered_for = remembered_for;
        self
    }

    /// Sets the `Retry-After` of a refusal without a permit. Defaults to 1 s.
    #[must_use]
    pub fn retry_after(mut self, retry_after: Duration) -> Self {
        self.workers.retry_after = retry_after;
        self
    }

    /// Sets the decoy, which is verified for a client without a hash. Defaults to argon2id with 19
    /// MiB and two passes.
    ///
    /// Use a hash with the function and the costs of your registered hashes. Otherwise **response
    /// times reveal whether a client has a hash.** If the registered hashes have different costs,
    /// response times reveal it with any decoy.
    #[must_use]
    pub fn decoy(mut self, decoy: PasswordHash) -> Self {
        self.decoy = decoy;
        self
    }

    /// Returns whether one of the hashes was made from the secret. An empty secret never matches.
    ///
    /// Two hashes are for a client whose secret is being replaced. The second is verified if the
    /// first does not match, with the same permit, so put the newer one first. Until the older one
    /// is removed, a wrong secret takes twice as long.
    ///
    /// It counts as a request without an address: see [`verify_from`](Self::verify_from). Dropping
    /// the future does not stop the work. The permit is returned when the work ends.
    ///
    /// # Errors
    ///
    /// 503 if the result is unknown: the queue was full, there was no memory, or the runtime is
    /// shutting down. 500 outside a Tokio runtime.
    pub async fn verify(
        &self,
        client_id: &str,
        secret: &Secret,
        hashes: [Option<&PasswordHash>; 2],
    ) -> Result<bool, Error> {
        self.verification(None)
            .verify(client_id, secret, hashes)
            .await
    }

    /// Returns whether one of the hashes was made from the secret, for a request from this address.
    /// Permits are shared fairly between addresses.
    ///
    /// # Errors
    ///
    /// Fails as [`verify`](Self::verify) does.
    pub async fn verify_from(
        &self,
        address: IpAddr,
        client_id: &str,
        secret: &Secret,
        hashes: [Option<&PasswordHash>; 2],
    ) -> Result<bool, Error> {
        self.verification(Some(subscriber(address)))
            .verify(client_id, secret, hashes)
            .await
    }

    /// Starts the verifications of one request. `origin` must be a [`subscriber`].
    pub(crate) fn verification(&self, origin: Option<IpAddr>) -> Verification<'_> {
        Verification {
            passwords: self,
            origin,
            permit: None,
        }
    }
}

/// The verifications of one request, all with the same permit: either all are made, or none.
pub(crate) struct Verification<'p> {
    passwords: &'p Passwords,
    origin: Option<IpAddr>,
    permit: Option<Result<Arc<Permit>, Error>>,
}

impl Verification<'_> {
    pub(crate) async fn verify(
        &mut self,
        client_id: &str,
        secret: &Secret,
        hashes: [Option<&PasswordHash>; 2],
    ) -> Result<bool, Error> {
        self.verify_at(Instant::now(), client_id, secret, hashes)
            .await
    }

    pub(super) async fn verify_at(
        &mut self,
        now: Instant,
        client_id: &str,
        secret: &Secret,
        hashes: [Option<&PasswordHash>; 2],
    ) -> Result<bool, Error> {
        // This depends only on the request, so no decoy is necessary.
        if secret.expose().is_empty() {
            return Ok(false);
        }
        let Passwords {
            workers,
            remembered,
            remembered_for,
            decoy,
        } = self.passwords;
        let hashes: Vec<PasswordHash> = hashes.into_iter().flatten().cloned().collect();
        let fingerprints: Vec<_> = hashes
            .iter()
            .map(|hash| remembered.fingerprint(client_id, hash, secret))
            .collect();
        if fingerprints
            .iter()
            .any(|fingerprint| remembered.contains(fingerprint, now))
        {
            return Ok(true);
        }

        let permit = if let Some(permit) = &self.permit {
            permit.clone()
        } else {
            let permit = workers.permit(self.origin).await;
            self.permit.insert(permit).clone()
        }?;
        let (secret, decoy) = (secret.clone(), decoy.clone());
        let matching = workers
            .run(permit, move || {
                first_match(&hashes, &decoy, |hash| hash.matches(&secret))
            })
            .await?
            .map_err(|error| workers.unavailable().caused_by(error))?;
        if let Some(index) = matching {
            remembered.keep(fingerprints[index], now, *remembered_for);
        }
        Ok(matching.is_some())
    }
}

/// Returns the index of the matching hash. Without hashes, the decoy is verified, and its result is
/// ignored.
pub(super) fn first_match(
    hashes: &[PasswordHash],
    decoy: &PasswordHash,
    mut matches: impl FnMut(&PasswordHash) -> Result<bool, BoxError>,
) -> Result<Option<usize>, BoxError> {
    if hashes.is_empty() {
        black_box(matches(decoy)?);
    }
    for (index, hash) in hashes.iter().enumerate() {
        if matches(hash)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("remembered_for", &self.remembered_for)
            .field("decoy", &self.decoy)
            .finish_non_exhaustive()
    }
}
