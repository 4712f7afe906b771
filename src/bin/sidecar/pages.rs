//! The pages of operators and users.

use tower_revocation::{
    admin::{Access, AdminPages, AdminService, OwnPages, OwnSessions, PageSessions, RecentRecords},
    log::RevocationLog,
};

use crate::{
    config::{Config, Me},
    failure::Failure,
    store::Store,
    tokens::Introspect,
};

/// What the pages remember across reloads.
#[derive(Clone)]
pub(crate) struct Memory {
    sessions: PageSessions,
    /// `None` if there were no pages at the start.
    recent: Option<RecentRecords>,
}

impl Memory {
    pub(crate) fn new(config: &Config) -> Result<Self, Failure> {
        let sessions = PageSessions::new();
        Ok(Self {
            sessions: sessions.map_err(|error| Failure::Start(error.to_string()))?,
            recent: config.admin.pages.then(RecentRecords::new),
        })
    }

    /// Counts the records of the log from now on. An error only means that nothing is counted.
    pub(crate) async fn load(self, store: Store) {
        if let Some(recent) = self.recent {
            let loaded = recent.load(&store).await;
            if let Err(error) = loaded {
                let cause = crate::failure::causes(&error);
                tracing::warn!(cause, "the status page will show no recent records");
            }
        }
    }

    /// The pages of users at a path.
    pub(crate) fn own_pages<L>(
        &self,
        me: &Me,
        path: &str,
        service: OwnSessions<L, Introspect>,
    ) -> OwnPages
    where
        L: RevocationLog + Clone + Send + Sync + 'static,
    {
        let pages = OwnPages::new(service, self.sessions.clone());
        pages.hosts(me.hosts.iter()).path(path)
    }

    /// The pages of these operators.
    pub(crate) fn pages<L>(
        &self,
        config: &Config,
        service: &AdminService<L, Introspect>,
        access: Access,
        hosts: &[String],
    ) -> AdminPages
    where
        L: RevocationLog + Clone + Send + Sync + 'static,
    {
        let issuers = config.issuers.iter().map(|issuer| &*issuer.url);
        let pages = AdminPages::new(service.clone(), access, self.sessions.clone()).hosts(hosts);
        let pages = if config.log.tenants {
            pages.issuers(issuers)
        } else {
            pages
        };
        match &self.recent {
            Some(recent) => pages.recent(recent.clone()),
            None => pages,
        }
    }
}
