//! Is this the client's password?

use std::{
    fmt,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use tower::BoxError;

use super::{PasswordHash, remembered::Remembered, workers::Workers};
use crate::{endpoint::Error, token::Secret};

/// Verifies passwords off the async threads, a bounded number at a time.
///
/// * **Bounded.** A verification that finds no permit is an error, 503 with `Retry-After`: waiting
///   would be a queue that anyone can make longer. There are as many permits as cores, unless
///   [`permits`](Self::permits) says otherwise. The memory is bounded by them too: a
///   permit's work takes what its hash says, 256 MiB at the most.
/// * **Remembered.** A secret that was right is taken for right for the next minute, so that a busy
///   client does not pay each time: [`remembered_for`](Self::remembered_for).
/// * **In vain.** For a client that has no hash, or that does not exist, a decoy is verified:
///   [`decoy`](Self::decoy).
///
/// A clone shares permits and memory. A setting that is changed on a clone is its own.
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

/// Of no known password, at the costs that OWASP recommends.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
                     $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Passwords {
    /// With as many permits as there are cores, and secrets remembered for a minute.
    ///
    /// # Panics
    ///
    /// If the operating system has no random numbers.
    #[must_use]
    pub fn new() -> Self {
        Self {
            workers: Workers::new(),
            remembered: Arc::new(Remembered::new()),
            remembered_for: Duration::from_secs(60),
            decoy: PasswordHash::parse(DECOY).expect("the decoy is within the caps"),
        }
    }

    /// How many verifications there are at a time. More than there are cores only makes each of
    /// them slower, and takes the cores from everything else.
    ///
    /// # Panics
    ///
    /// If it is zero: then nobody would ever be verified.
    #[must_use]
    pub fn permits(mut self, at_a_time: usize) -> Self {
        self.workers.limit(at_a_time);
        self
    }

    /// How long a secret that was right is taken for right without the work. Zero: not at all.
    ///
    /// It is counted from the verification, and using it does not prolong it. What is remembered,
    /// of 10 000 secrets at the most, is a digest of client, hash and secret under a key that dies
    /// with the process: **a client whose hash is replaced or taken away is not let in by it.**
    /// Within this time a copy of the process's memory lets guesses be tested quickly.
    #[must_use]
    pub fn remembered_for(mut self, remembered_for: Duration) -> Self {
        self.remembered_for = remembered_for;
        self
    }

    /// What `Retry-After` says to whom there was no permit for. A second, unless this is called.
    #[must_use]
    pub fn retry_after(mut self, retry_after: Duration) -> Self {
        self.workers.retry_after = retry_after;
        self
    }

    /// What is verified, in vain, for a client without a hash. Argon2id with 19 MiB and two passes,
    /// unless this is called.
    ///
    /// Give one with the function and the costs of those that are registered: otherwise **the time
    /// that an answer takes tells whether there is such a client.** Hashes of different costs tell
    /// it whatever the decoy is.
    #[must_use]
    pub fn decoy(mut self, decoy: PasswordHash) -> Self {
        self.decoy = decoy;
        self
    }

    /// Whether the secret is one that the hashes were made of. An empty one never is.
    ///
    /// Two hashes are for a client whose secret is being replaced: the second is verified if the
    /// first does not match, in the same permit, so put the newer one first. Until the older one is
    /// gone, a wrong secret takes twice as long.
    ///
    /// Dropping the future does not end the work, nor give its permit back before it has ended.
    ///
    /// # Errors
    ///
    /// 503 if it could not be found out: there was no permit or no memory, or the runtime is
    /// shutting down. 500 outside of a Tokio runtime.
    pub async fn verify(
        &self,
        client_id: &str,
        secret: &Secret,
        hashes: [Option<&PasswordHash>; 2],
    ) -> Result<bool, Error> {
        self.verify_at(Instant::now(), client_id, secret, hashes)
            .await
    }

    pub(super) async fn verify_at(
        &self,
        now: Instant,
        client_id: &str,
        secret: &Secret,
        hashes: [Option<&PasswordHash>; 2],
    ) -> Result<bool, Error> {
        // It depends on nothing but the request, so no decoy is due.
        if secret.expose().is_empty() {
            return Ok(false);
        }
        let hashes: Vec<PasswordHash> = hashes.into_iter().flatten().cloned().collect();
        let fingerprints: Vec<_> = hashes
            .iter()
            .map(|hash| self.remembered.fingerprint(client_id, hash, secret))
            .collect();
        if fingerprints
            .iter()
            .any(|fingerprint| self.remembered.recalls(fingerprint, now))
        {
            return Ok(true);
        }

        let (secret, decoy) = (secret.clone(), self.decoy.clone());
        let matching = self
            .workers
            .run(move || first_match(&hashes, &decoy, |hash| hash.matches(&secret)))
            .await?
            .map_err(|error| self.workers.unavailable().with_source(error))?;
        if let Some(index) = matching {
            self.remembered
                .keep(fingerprints[index], now, self.remembered_for);
        }
        Ok(matching.is_some())
    }
}

/// Which of the hashes it is. Without any, the decoy is verified, and it does not count.
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
