//! Is this the client's password?

use std::{
    fmt,
    hint::black_box,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tower::BoxError;

use super::{PasswordHash, line::Permit, remembered::Remembered, workers::Workers};
use crate::{client::subscriber, error::Error, token::Secret};

/// Verifies passwords off the async threads, a bounded number at a time.
///
/// * **Bounded.** There are as many permits as cores, unless [`permits`](Self::permits) says
///   otherwise, and at most 64 verifications wait for one, unless [`queue`](Self::queue) does. The
///   memory is bounded by the permits: the work of one takes what its hash says, at most 256 MiB.
/// * **Shared out by address.** A permit goes to the address that has had the fewest for its
///   requests. Where the queue is full, the latest request of the address that asks for most gives
///   way, with 503 and `Retry-After`. So guesses from one address delay each other and nobody else
///   by more than the verification that is running. An IPv6 address counts as its /64. **Requests
///   without an address count as those of one address**: then guesses can fill the queue for all.
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

    /// How many verifications wait for a permit, of all addresses together. Defaults to 64.
    ///
    /// The last one waits for as long as all before it take, on all permits. Zero: none waits, and
    /// a verification that finds no permit is 503.
    #[must_use]
    pub fn queue(mut self, waiting: usize) -> Self {
        self.workers.queue(waiting);
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
    /// It counts as a request without an address: see [`verify_from`](Self::verify_from). Dropping
    /// the future does not end the work, nor give its permit back before it has ended.
    ///
    /// # Errors
    ///
    /// 503 if it could not be found out: the queue was full, there was no memory, or the runtime is
    /// shutting down. 500 outside of a Tokio runtime.
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

    /// The same for a request from this address, by which permits are shared out.
    ///
    /// # Errors
    ///
    /// As for [`verify`](Self::verify).
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

    /// The verifications of one request from this address, which has been made a
    /// [`subscriber`]'s.
    pub(crate) fn verification(&self, origin: Option<IpAddr>) -> Verification<'_> {
        Verification {
            passwords: self,
            origin,
            permit: None,
        }
    }
}

/// The verifications of one request, all with one permit: either all are made, or none is.
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
        // It depends on nothing but the request, so no decoy is due.
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
            .any(|fingerprint| remembered.recalls(fingerprint, now))
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
