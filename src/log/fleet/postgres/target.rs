//! Which server is asked, and the connections to it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::{runtime::Handle, sync::Notify, task, time};

use super::{
    super::{super::LogErrorKind, url::Url},
    advice::Who,
    fault::Fault,
    session::Session,
    settings::{Server, Settings},
    tls::Tls,
};

/// How long a server may take before the next one is tried as well. An old primary must not be
/// faster than one that is busy.
const STAGGER: Duration = Duration::from_secs(1);

/// How long a server may take to accept a connection: the time limit of a call can be too short for
/// a slow network, or so long that a server that has gone would be waited for.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);

pub(super) struct Target {
    url: Url,
    /// What the last connection was made with.
    access: Mutex<Arc<Access>>,
    pub(super) schema: String,
    pub(super) timeout: Duration,
    pub(super) runtime: Handle,
    /// The server that is tried first.
    first: AtomicUsize,
    /// The server that was the primary the last time.
    primary: AtomicUsize,
    /// Connections that were made under an earlier number are not used any more.
    generation: AtomicU64,
    /// Another server is the primary now.
    pub(super) moved: Notify,
    replicated: AtomicBool,
}

/// How to connect: with passwords and certificates.
struct Access {
    settings: Settings,
    tls: Tls,
}

impl Access {
    /// Reads files.
    fn read(url: &Url, timeout: Duration) -> Result<Self, Fault> {
        let settings = Settings::read(url, &|name| url.variable(name), timeout)?;
        let tls = match &settings.tls {
            Some(files) => Tls::load(files)?,
            None => Tls::none(),
        };
        Ok(Self { settings, tls })
    }
}

impl Target {
    /// Reads files.
    pub(super) fn new(url: Url, name: Option<&str>, timeout: Duration) -> Result<Self, Fault> {
        Ok(Self {
            access: Mutex::new(Arc::new(Access::read(&url, timeout)?)),
            url,
            schema: schema(name),
            runtime: Handle::try_current()
                .map_err(|_| Fault::misconfigured("there is no Tokio runtime"))?,
            timeout,
            first: AtomicUsize::new(0),
            primary: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
            moved: Notify::new(),
            replicated: AtomicBool::new(false),
        })
    }

    /// Connects to the first server that turns out to be a primary. The next one is tried once the
    /// one before has failed, or has not answered for a while.
    pub(super) async fn connect(&self) -> Result<Session, Fault> {
        let order = Ordering::Relaxed;
        let (generation, first) = (self.generation.load(order), self.first.load(order));
        let mut session = self.open(&*self.read().await?, first).await?;
        session.generation = generation;
        if self.keeps(&session) {
            // Unless a call has left this server meanwhile.
            let _ = self
                .first
                .compare_exchange(first, session.place, order, order);
            if self.primary.swap(session.place, order) != session.place {
                session.generation = self.end_connections();
            }
        }
        Ok(session)
    }

    /// Connects to the replica that serves the whole log, if the settings name one.
    pub(super) async fn connect_replica(&self) -> Result<Option<Session>, Fault> {
        let access = self.read().await?;
        let Some(server) = &access.settings.replica else {
            return Ok(None);
        };
        let who = self.who(server, &access);
        let session = Session::reading(self, who, server, &access.tls).await?;
        Ok(Some(session))
    }

    /// Passwords and certificates may have been changed since the last connection.
    async fn read(&self) -> Result<Arc<Access>, Fault> {
        let (url, timeout) = (self.url.clone(), self.timeout);
        let read = task::spawn_blocking(move || Access::read(&url, timeout)).await;
        let failed = |_| Fault::unavailable("the settings could not be read");
        let access = Arc::new(read.map_err(failed)??);
        *self.access() = access.clone();
        Ok(access)
    }

    async fn open(&self, access: &Access, first: usize) -> Result<Session, Fault> {
        let count = access.settings.servers.len();
        let mut places = (0..count).map(|step| (first + step) % count).peekable();
        let mut attempts = FuturesUnordered::new();
        let mut failed: Option<Fault> = None;
        loop {
            if let Some(place) = places.next() {
                attempts.push(self.attempt(place, access));
            }
            let patience = match places.peek() {
                Some(_) => STAGGER,
                None => LONGEST_ATTEMPT * 2,
            };
            let Ok(ended) = time::timeout(patience, attempts.next()).await else {
                continue;
            };
            match ended {
                Some(Ok(session)) => return Ok(session),
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

    async fn attempt(&self, place: usize, access: &Access) -> Result<Session, Fault> {
        let server = &access.settings.servers[place];
        let opened = Session::open(self, place, self.who(server, access), server, &access.tls);
        let opened = time::timeout(LONGEST_ATTEMPT, opened);
        let late = |_| silent(&server.place, LONGEST_ATTEMPT);
        opened.await.map_err(late)?
    }

    /// Whether this connection is still used. It is not once another one has found that another
    /// server is the primary.
    pub(super) fn keeps(&self, session: &Session) -> bool {
        self.generation.load(Ordering::Relaxed) == session.generation
    }

    /// An answer came from a server that has been replaced by another one.
    pub(super) fn replaced(&self) {
        self.leave(self.primary.load(Ordering::Relaxed));
        self.end_connections();
    }

    /// Returns the number of the connections that are made from now on.
    fn end_connections(&self) -> u64 {
        self.moved.notify_one();
        self.generation.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A call to this server was given up. Others are tried first: an old primary that has lost its
    /// standby accepts connections, and no commit ever ends.
    pub(super) fn leave(&self, place: usize) {
        let next = (place + 1) % self.access().settings.servers.len();
        let order = Ordering::Relaxed;
        // Unless another call has left it already.
        let _ = self.first.compare_exchange(place, next, order, order);
    }

    fn who(&self, server: &Server, access: &Access) -> Who {
        Who {
            place: server.place.clone(),
            role: access.settings.role.clone(),
            database: access.settings.database.clone(),
            schema: self.schema.clone(),
        }
    }

    fn access(&self) -> MutexGuard<'_, Arc<Access>> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There was no answer within the time limit.
    pub(super) fn late(&self) -> Fault {
        silent(&self.whom().place, self.timeout)
    }

    /// The replica did not answer within this time limit.
    pub(super) fn late_replica(&self, limit: Duration) -> Fault {
        let access = self.access();
        let replica = access.settings.replica.as_ref();
        let place = replica.map_or("the replica", |server| &server.place);
        Fault::unavailable(format!(
            "{place} did not answer within {limit:?}: check that it runs, and the network to it",
        ))
    }

    /// The server that was the primary the last time.
    fn whom(&self) -> Who {
        let place = self.primary.load(Ordering::Relaxed);
        let access = self.access().clone();
        let servers = &access.settings.servers;
        self.who(&servers[place.min(servers.len() - 1)], &access)
    }

    /// The server has said whether a commit waits for a standby.
    ///
    /// # Errors
    ///
    /// Fails if it has to.
    pub(super) fn saw(&self, replicated: bool) -> Result<(), Fault> {
        self.replicated.store(replicated, Ordering::Relaxed);
        if replicated || !self.access().settings.replicated {
            return Ok(());
        }
        Err(Fault::misconfigured(format!(
            "{} has no synchronous standby, as `durability=replicated` demands: set \
             synchronous_standby_names there",
            self.whom().place,
        )))
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

/// The name needs no quotes, and is not cut by the server: see `Address::check`.
fn schema(name: Option<&str>) -> String {
    name.map_or_else(|| SCHEMA.to_owned(), |name| format!("{SCHEMA}_{name}"))
}
