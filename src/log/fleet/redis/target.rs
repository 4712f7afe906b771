//! Which server is asked, and the connections to it.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time};

use super::{
    super::super::LogErrorKind,
    fault::Fault,
    keys::Keys,
    primary,
    session::Session,
    settings::{Host, Settings},
};

/// A connection is not given up sooner, even if a call is: the next call gets it.
const CONNECTING: Duration = Duration::from_secs(5);

pub(super) struct Target {
    pub(super) settings: Settings,
    pub(super) keys: Keys,
    /// The time limit of a call.
    pub(super) timeout: Duration,
    /// That of all nodes of the log.
    pub(super) lease: Duration,
    /// The host of the URL that is asked first.
    entry: AtomicUsize,
    /// The server that was the primary the last time.
    primary: Mutex<Option<Host>>,
    /// Connections that were made under an earlier number are not used any more.
    generation: AtomicU64,
    /// Another server is the primary now.
    pub(super) moved: Notify,
}

impl Target {
    pub(super) fn new(settings: Settings, keys: Keys, timeout: Duration, lease: Duration) -> Self {
        Self {
            settings,
            keys,
            timeout,
            lease,
            entry: AtomicUsize::new(0),
            primary: Mutex::default(),
            generation: AtomicU64::new(0),
            moved: Notify::new(),
        }
    }

    /// Connects to the primary. Each of several hosts gets a part of the time.
    pub(super) async fn connect(&self) -> Result<Session, Fault> {
        let hosts = &self.settings.hosts;
        let limit = self.timeout.max(CONNECTING);
        let share = limit / u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let first = self.entry.load(Ordering::Relaxed);
        let generation = self.generation.load(Ordering::Relaxed);
        let mut failed: Option<Fault> = None;
        for entry in (0..hosts.len()).map(|step| (first + step) % hosts.len()) {
            let opened = time::timeout(share, self.open(entry)).await;
            let fault = match opened {
                Ok(Ok(mut session)) => {
                    session.generation = generation;
                    self.entry.store(entry, Ordering::Relaxed);
                    self.found(&session.wire.host);
                    return Ok(session);
                }
                Ok(Err(fault)) => fault,
                Err(_) => self.silent(&hosts[entry], share),
            };
            // What has to be changed is worth more than what may pass.
            let is_known = |known: &Fault| known.kind == LogErrorKind::Misconfigured;
            if !failed.as_ref().is_some_and(is_known) {
                failed = Some(fault);
            }
        }
        Err(failed.unwrap_or_else(|| Fault::misconfigured("no host is given")))
    }

    async fn open(&self, entry: usize) -> Result<Session, Fault> {
        let host = &self.settings.hosts[entry];
        let primary = primary::find(host, &self.keys, &self.settings).await?;
        Session::open(&primary, entry, &self.settings).await
    }

    /// Whether a connection is still used. It is not once another one has found another primary, or
    /// this one was replaced.
    pub(super) fn keeps(&self, session: &Session) -> bool {
        self.generation.load(Ordering::Relaxed) == session.generation
            && self.locked().as_ref() == Some(&session.wire.host)
    }

    /// An answer came from a server that has been replaced by another one. All connections are made
    /// anew, with the password and the certificates as they are then.
    pub(super) fn replaced(&self) {
        self.leave(self.entry.load(Ordering::Relaxed));
        self.generation.fetch_add(1, Ordering::Relaxed);
        self.moved.notify_one();
    }

    fn found(&self, host: &Host) {
        let before = self.locked().replace(host.clone());
        if before.is_some_and(|before| before != *host) {
            self.moved.notify_one();
        }
    }

    /// The server that this host has led to does not answer, or is not the primary. Others are asked
    /// first.
    pub(super) fn leave(&self, entry: usize) {
        let next = (entry + 1) % self.settings.hosts.len();
        let entries = &self.entry;
        let _ = entries.compare_exchange(entry, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// There was no answer within the time limit.
    pub(super) fn late(&self) -> Fault {
        let primary = self.locked().clone();
        let host = primary.as_ref().unwrap_or(&self.settings.hosts[0]);
        self.silent(host, self.timeout)
    }

    fn silent(&self, host: &Host, limit: Duration) -> Fault {
        Fault::silent(host, limit, self.settings.needs_tls(host))
    }

    fn locked(&self) -> MutexGuard<'_, Option<Host>> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
