//! The life of the sidecar: start, reload, end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::task::{AbortHandle, JoinHandle, spawn_blocking};
use tower::util::Either;
use tower_revocation::{
    enforce::Index,
    jose::RemoteKeys,
    log::FeedService,
    notify::{Notifier, Recipients},
    revoke::Handles,
    sightings::Sightings,
};

use crate::{
    admin::AdminEntry,
    args::Source,
    attempt::{Attempt, attempt, check},
    config::{Config, Feed, Problem},
    failure::{Failure, causes},
    files::Files,
    health::Health,
    keys,
    listeners::unchanged,
    listening::{Addresses, Listening},
    logging::Levels,
    metrics, notify, orders, pages,
    parts::{Parts, Shared},
    process, rights, sightings,
    signals::{Asked, Signals},
    store::{self, Store},
    warnings,
};

/// The pause between two attempts to open a log.
const RETRY: Duration = Duration::from_secs(1);

/// Runs until a signal ends it.
pub(crate) async fn run(source: Source) -> Result<(), Failure> {
    run_and_tell(source, |_| {}).await
}

/// The same. Tells where it listens once it is ready.
pub(crate) async fn run_and_tell(
    source: Source,
    tell: impl FnOnce(&Addresses) + Send + 'static,
) -> Result<(), Failure> {
    // Everything that can be wrong in the files is found before anything is opened.
    let (config, origins) = check(&source)?;
    rights::user(&config).map_err(|problem| Failure::from(problem).at(&origins))?;
    // The stack of its caller has no room for all of it.
    let ended = Box::pin(start(source, config, tell)).await;
    ended.map_err(|failure| failure.at(&origins))
}

async fn start(
    source: Source,
    config: Config,
    tell: impl FnOnce(&Addresses) + Send + 'static,
) -> Result<(), Failure> {
    let levels = Levels::install(&config.logging)?;
    let rendering = metrics::install().map_err(|error| Failure::Start(causes(&error)))?;
    tokio::spawn(metrics::add_up(rendering.clone()));
    let mut signals = Signals::listen().map_err(|error| Failure::Start(error.to_string()))?;
    tokio::spawn(notify::watch());

    let health = Health::default();
    let admin = AdminEntry::new(health.clone(), rendering);
    admin.name(&config.admin.hosts);
    // A file is opened first: what is wrong with it is no reason to listen. A server may be away.
    let file = store::open_file_of(&config.log).await?;
    let open_files = process::raise_open_files();
    let mut listening = Listening::start(&config, &admin).await?;
    warnings::warn_about_files(&config, open_files);
    let store = tokio::select! {
        opened = open(file, &config, &health) => opened?,
        _ = signals.stop() => return Ok(()),
    };
    let index = Index::new();
    health.opened(store.clone(), index.clone());
    tokio::spawn(load(index.clone(), store.clone()));
    let pages = pages::Memory::new(&config)?;
    tokio::spawn(pages.clone().load(store.clone()));
    let replays = store::replays(&store).map_err(|error| Failure::Start(causes(&error)))?;
    let journal = store::journal(&store).map_err(|error| Failure::Start(causes(&error)))?;
    let shared = Shared {
        log: store.clone(),
        is_open: true,
        index,
        keys: RemoteKeys::new(),
        replays,
        links: store::links(&store, &config).await?,
        journal,
        sightings: Sightings::new(),
        handles: Handles::random().map_err(|error| Failure::Start(causes(&error)))?,
        // Nobody is told before the configuration says who.
        notifier: Notifier::new(Recipients::new()),
        health: health.clone(),
        pages: Some(pages),
        admin_address: listening.addresses.get("admin.listen").copied(),
    };
    if let Some((listener, feed)) = listening.feed.take() {
        let service = feed_service(&store, &feed)?;
        listening.serve(listener, "feed.listen", &config, service);
    }
    let mut running = Running {
        source,
        config,
        files: Files::default(),
        shared,
        health,
        levels,
        admin,
        listening,
        watch: None,
        telling: None,
        was_ready: Arc::default(),
    };
    let begun = tokio::select! {
        begun = running.begin(tell) => begun.map(|()| None)?,
        asked = signals.stop() => Some(asked),
    };
    let asked = match begun {
        Some(asked) => asked,
        None => running.until_stopped(&mut signals).await,
    };
    tokio::select! {
        ended = running.stop(asked) => ended,
        // Somebody does not want to wait.
        () = signals.again() => Err(Failure::Start("ended by a second signal".into())),
    }
}

/// Opens a log on a server, as often as it takes. A mistake in the configuration ends it.
async fn open(file: Option<Store>, config: &Config, health: &Health) -> Result<Store, Failure> {
    if let Some(file) = file {
        return Ok(file);
    }
    loop {
        match store::connect(&config.log).await {
            Ok(store) => return Ok(store),
            Err(Failure::Start(line)) => {
                tracing::error!(cause = line, "the log cannot be opened");
                health.log_failed(Some(line));
                tokio::time::sleep(RETRY).await;
            }
            Err(wrong) => return Err(wrong),
        }
    }
}

/// Reads the log, as often as it takes. Requests are refused with 503 until then.
async fn load(index: Index, store: Store) {
    while let Err(error) = index.load(&store).await {
        tracing::error!(cause = causes(&error), "the log cannot be read");
        tokio::time::sleep(RETRY).await;
    }
}

fn feed_service(store: &Store, feed: &Feed) -> Result<FeedService, Problem> {
    let path = &feed.tokens_file;
    let service = match store {
        Either::Left(file) => FeedService::with_token_file(file, path),
        Either::Right(server) => FeedService::with_token_file(server, path),
    };
    let service = service.map_err(|error| Problem::new("feed.tokens_file", causes(&error)))?;
    Ok(service.path(&*feed.path))
}

/// The sidecar while it serves.
struct Running {
    source: Source,
    config: Config,
    /// What was read for the configuration.
    files: Files,
    shared: Shared<Store>,
    health: Health,
    levels: Levels,
    admin: AdminEntry,
    listening: Listening,
    /// The task that looks after the keys of the issuers.
    watch: Option<AbortHandle>,
    /// The task that tells issuers about orders.
    telling: Option<JoinHandle<()>>,
    /// Whether systemd knows that the process is ready.
    was_ready: Arc<AtomicBool>,
}

impl Running {
    /// Begins to serve, and tells systemd once the process is ready.
    async fn begin(
        &mut self,
        tell: impl FnOnce(&Addresses) + Send + 'static,
    ) -> Result<(), Failure> {
        let (attempt, files) = self.attempt().await;
        let Attempt { config, parts, .. } = attempt?;
        self.files = files;
        self.config = config;
        let unknown = |(issuer, _): &(String, _)| {
            (
                issuer.clone(),
                "its keys have not been fetched yet".to_owned(),
            )
        };
        self.health
            .without_keys(parts.by_keys.iter().map(unknown).collect());
        self.use_now(parts);
        let trail = orders::trail(&self.config, &self.shared);
        self.telling = trail.map(|trail| tokio::spawn(trail.tell_issuers()));
        self.health.serve();
        metrics::in_use();
        let (health, was_ready) = (self.health.clone(), self.was_ready.clone());
        let addresses = self.listening.addresses.clone();
        tokio::spawn(async move {
            while !health.report().ready {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            tracing::info!("ready");
            was_ready.store(true, Relaxed);
            notify::ready();
            tell(&addresses);
        });
        Ok(())
    }

    /// Reads everything again, beside the requests.
    async fn attempt(&self) -> (Result<Attempt<Store>, Failure>, Files) {
        let (source, shared) = (self.source.clone(), self.shared.clone());
        let read = spawn_blocking(move || {
            let mut files = Files::default();
            (attempt(&source, &shared, &mut files), files)
        });
        read.await.unwrap_or_else(|error| {
            let failure = Failure::Start(causes(&error));
            (Err(failure), Files::default())
        })
    }

    fn use_now(&mut self, mut parts: Parts<Store>) {
        warnings::warn(&self.config, self.shared.journal.is_some());
        if let Some(limits) = &self.config.sightings {
            sightings::limit(&self.shared.sightings, limits);
        }
        self.listening.replace(&self.config, &mut parts);
        self.levels.change(parts.levels.clone());
        self.admin.replace(parts.orders, self.shared.log.clone());
        self.admin.name(&self.config.admin.hosts);
        self.shared.notifier.replace(parts.recipients);
        let watch = tokio::spawn(keys::watch(parts.by_keys, self.health.clone()));
        if let Some(last) = self.watch.replace(watch.abort_handle()) {
            last.abort();
        }
    }

    /// Serves until a signal ends it. Reads changed files.
    async fn until_stopped(&mut self, signals: &mut Signals) -> Asked {
        loop {
            let mut is_asked = tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Reload => true,
                    asked => return asked,
                },
                () = self.change() => true,
            };
            while is_asked {
                is_asked = false;
                let mut reload = std::pin::pin!(self.reload());
                // Files may be slow, and the end does not wait for them.
                loop {
                    tokio::select! {
                        () = &mut reload => break,
                        asked = signals.next() => match asked {
                            Asked::Reload => is_asked = true,
                            asked => return asked,
                        },
                    }
                }
            }
        }
    }

    /// Waits until a file has changed.
    async fn change(&self) {
        loop {
            tokio::time::sleep(self.config.run.reload_every).await;
            let files = self.files.clone();
            let changed = spawn_blocking(move || files.have_changed()).await;
            if changed.unwrap_or(true) {
                return;
            }
        }
    }

    /// Uses the configuration as it is now, or keeps the one in use.
    async fn reload(&mut self) {
        // systemd waits for the end of a reload only after the start.
        let was_ready = self.was_ready.load(Relaxed);
        if was_ready {
            notify::reloading();
        }
        let (attempt, files) = self.attempt().await;
        // Files that are wrong are read again once they change.
        self.files = files;
        let used = attempt.and_then(|attempt| {
            let unchanged = unchanged(&self.config, &attempt.config);
            unchanged.map_err(|problem| Failure::from(problem).at(&attempt.origins))?;
            self.config = attempt.config;
            self.use_now(attempt.parts);
            Ok(())
        });
        let error = used.err().map(|failure| failure.line());
        match &error {
            None => tracing::info!("the configuration was read again, and is in use"),
            Some(cause) => {
                tracing::error!(
                    cause,
                    "the configuration is wrong: the one before stays in use"
                );
            }
        }
        metrics::reloaded(error.is_none());
        self.health.reload_failed(error);
        if was_ready {
            notify::ready();
        }
    }

    /// Says that the process is not ready, and ends once others have had time to notice.
    async fn stop(self, asked: Asked) -> Result<(), Failure> {
        tracing::info!("the process ends");
        notify::stopping();
        self.health.stop();
        if asked == Asked::Stop {
            tokio::time::sleep(self.config.run.shutdown_delay).await;
        }
        self.listening.stop().await;
        self.shared.notifier.stop();
        if let Some(telling) = self.telling {
            // What is not told yet stays in the journal.
            let _ = telling.await;
        }
        let closed = store::close(self.shared.log).await;
        closed.map_err(|error| Failure::Start(causes(&*error)))
    }
}
