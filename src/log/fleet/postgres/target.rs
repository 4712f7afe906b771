//! Which server is asked, and the connections to it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

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

    /// Connects to the first server that is a primary. Each of several gets a part of the time.
    pub(super) async fn connect(&self) -> Result<Session, Fault> {
        let servers = &self.settings.servers;
        let count = servers.len();
        let share = self.timeout / u32::try_from(count).unwrap_or(u32::MAX);
        let first = self.primary.load(Ordering::Relaxed);
        let mut failed: Option<Fault> = None;
        for place in (0..count).map(|step| (first + step) % count) {
            let server = &servers[place];
            let opened = time::timeout(share, Session::open(self, place, server)).await;
            let fault = match opened {
                Ok(Ok(session)) => {
                    if self.primary.swap(place, Ordering::Relaxed) != place {
                        self.moved.notify_one();
                    }
                    return Ok(session);
                }
                Ok(Err(fault)) => fault,
                Err(_) => silent(&server.place, share),
            };
            // What has to be changed is worth more than what may pass.
            if failed
                .as_ref()
                .is_none_or(|first| first.kind != LogErrorKind::Misconfigured)
            {
                failed = Some(fault);
            }
        }
        Err(failed.unwrap_or_else(|| Fault::misconfigured("no host is given")))
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
