//! Which server is asked, and the connections to it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::{runtime::Handle, sync::Notify, time};

use super::{
    super::super::LogErrorKind,
    fault::{Fault, Who},
    session::Session,
    settings::{Server, Settings},
    tls::Tls,
};

/// A longer name of a log would be cut by the server.
const LONGEST_NAME: usize = 40;

/// How long a server may take before the next one is tried as well.
const STAGGER: Duration = Duration::from_millis(250);

/// How long a server may take to accept a connection: the time limit of a call can be too short for
/// a slow network, or so long that a server that has gone would be waited for.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);

pub(super) struct Target {
    settings: Settings,
    pub(super) tls: Tls,
    pub(super) schema: String,
    pub(super) timeout: Duration,
    pub(super) runtime: Handle,
    /// The server that was the primary the last time.
    primary: AtomicUsize,
    /// Another server is the primary now.
    pub(super) moved: Notify,
    replicated: AtomicBool,
}

impl Target {
    pub(super) fn new(
        settings: Settings,
        name: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        Ok(Self {
            tls: match &settings.tls {
                Some(files) => Tls::load(files)?,
                None => Tls::none(),
            },
            schema: schema(name)?,
            runtime: Handle::try_current()
                .map_err(|_| Fault::misconfigured("there is no Tokio runtime"))?,
            settings,
            timeout,
            primary: AtomicUsize::new(0),
            moved: Notify::new(),
            replicated: AtomicBool::new(false),
        })
    }

    /// Connects to the first server that turns out to be a primary. The next one is tried once the
    /// one before has failed, or has not answered for a while.
    pub(super) async fn connect(&self) -> Result<Session, Fault> {
        let servers = &self.settings.servers;
        let count = servers.len();
        let first = self.primary.load(Ordering::Relaxed);
        let mut places = (0..count).map(|step| (first + step) % count).peekable();
        let mut attempts = FuturesUnordered::new();
        let mut failed: Option<Fault> = None;
        loop {
            if let Some(place) = places.next() {
                attempts.push(self.attempt(place));
            }
            let patience = match places.peek() {
                Some(_) => STAGGER,
                None => LONGEST_ATTEMPT * 2,
            };
            let Ok(ended) = time::timeout(patience, attempts.next()).await else {
                continue;
            };
            match ended {
                Some(Ok(session)) => {
                    if self.primary.swap(session.place, Ordering::Relaxed) != session.place {
                        self.moved.notify_one();
                    }
                    return Ok(session);
                }
                // What has to be changed is worth more than what may pass.
                Some(Err(fault)) => {
                    let kept = failed.take();
                    let kept = kept.filter(|kept| kept.kind == LogErrorKind::Misconfigured);
                    failed = Some(kept.unwrap_or(fault));
                }
                None => {
                    let none = || Fault::misconfigured("no host is given");
                    return Err(failed.unwrap_or_else(none));
                }
            }
        }
    }

    async fn attempt(&self, place: usize) -> Result<Session, Fault> {
        let server = &self.settings.servers[place];
        let opened = time::timeout(LONGEST_ATTEMPT, Session::open(self, place, server));
        let late = |_| silent(&server.place, LONGEST_ATTEMPT);
        opened.await.map_err(late)?
    }

    /// Whether connections to this server stay.
    pub(super) fn is_primary(&self, place: usize) -> bool {
        self.primary.load(Ordering::Relaxed) == place
    }

    /// A call to this server was given up. Others are tried first: an old primary that has lost its
    /// standby accepts connections, and no commit ever ends.
    pub(super) fn leave(&self, place: usize) {
        let next = (place + 1) % self.settings.servers.len();
        let left = self
            .primary
            .compare_exchange(place, next, Ordering::Relaxed, Ordering::Relaxed);
        if left.is_ok() && next != place {
            self.moved.notify_one();
        }
    }

    pub(super) fn who(&self, server: &Server) -> Who {
        Who {
            place: server.place.clone(),
            role: self.settings.role.clone(),
            database: self.settings.database.clone(),
            schema: self.schema.clone(),
        }
    }

    /// There was no answer within the time limit.
    pub(super) fn late(&self) -> Fault {
        let place = self.primary.load(Ordering::Relaxed);
        let server = self.settings.servers.get(place);
        let place = server.map_or("the database", |server| &*server.place);
        silent(place, self.timeout)
    }

    /// The server has said whether a commit waits for a standby.
    pub(super) fn saw(&self, replicated: bool) {
        self.replicated.store(replicated, Ordering::Relaxed);
    }

    pub(super) fn is_replicated(&self) -> bool {
        self.replicated.load(Ordering::Relaxed)
    }
}

fn silent(place: &str, limit: Duration) -> Fault {
    Fault::unavailable(format!(
        "{place} did not answer within {limit:?}: check that it runs, the network to it, and its \
         synchronous standbys",
    ))
}

/// Where the tables are, if the log has no name.
const SCHEMA: &str = "tower_revocation";

fn schema(name: Option<&str>) -> Result<String, Fault> {
    let Some(name) = name else {
        return Ok(SCHEMA.to_owned());
    };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
        return Err(Fault::misconfigured(format!(
            "`name` must have 1 to {LONGEST_NAME} lower-case letters, digits or `_`",
        )));
    }
    Ok(format!("{SCHEMA}_{name}"))
}
