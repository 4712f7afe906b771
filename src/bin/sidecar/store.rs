//! Where revocations are: in a file of this process, or on a server that several share.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tower::util::Either;
use tower_revocation::{
    Secret,
    client::replay::{EmbeddedGuard, ReplayGuard},
    log::{
        EmbeddedJournal, EmbeddedLog, FleetLog, FleetLogBuilder, Journal, LogError, LogErrorKind,
    },
    revoke::Links,
};

use crate::{
    config::{Config, Location, Log, Problem},
    failure::{Failure, causes},
    files,
};

/// A log in a file, or on a server.
pub(crate) type Store = Either<EmbeddedLog, FleetLog>;

/// How often expired records are removed from a file.
const SWEEP: Duration = Duration::from_secs(60);
/// How long to wait for the process before this one, which closes the file.
const LOCKED: Duration = Duration::from_secs(10);

/// Opens a log in a file. `None` if the log is on a server.
pub(crate) async fn open_file_of(config: &Log) -> Result<Option<Store>, Failure> {
    match &config.location {
        Location::Path(path) => open_file("log.path", path, config.create)
            .await
            .map(|log| Some(Either::Left(log))),
        Location::Url(_) | Location::UrlFile(_) => Ok(None),
    }
}

/// Connects to a log on a server.
pub(crate) async fn connect(config: &Log) -> Result<Store, Failure> {
    let (key, builder) = match &config.location {
        Location::Path(path) => {
            let opened = open_file("log.path", path, config.create).await;
            return opened.map(Either::Left);
        }
        Location::Url(_) | Location::UrlFile(_) => server(config)?,
    };
    let connected = builder.connect().await.map_err(|error| {
        let line = causes(&error);
        match error.kind() {
            // A server that is down is no mistake in the configuration.
            LogErrorKind::Unavailable => Failure::Start(format!("{key}: {line}")),
            _ => Problem::new(key, line).into(),
        }
    });
    connected.map(Either::Right)
}

/// Checks what can be checked without opening the log. It blocks.
pub(crate) fn check(config: &Config) -> Result<(), Problem> {
    if let Location::Path(_) = config.log.location {
        return Ok(());
    }
    let (key, builder) = server(&config.log)?;
    let checked = builder.check();
    checked.map_err(|error| Problem::new(key, causes(&error)))
}

/// The key of the URL of a server, and how to connect. It reads files.
fn server(config: &Log) -> Result<(&'static str, FleetLogBuilder), Problem> {
    let unreadable =
        |key, file: &Path, error: String| Problem::new(key, format!("{}: {error}", file.display()));
    let (key, url) = match &config.location {
        Location::Path(_) => return Err(Problem::new("log.path", "a file is on no server")),
        Location::Url(url) => ("log.url", Secret::new(&**url)),
        Location::UrlFile(file) => {
            let key = "log.url_file";
            let url =
                files::read(file).map_err(|error| unreadable(key, file, error.to_string()))?;
            (key, Secret::new(url.expose().trim()))
        }
    };
    let mut builder = FleetLog::builder(url.expose());
    if let Some(file) = &config.password_file {
        // The builder would blame the URL.
        let read = files::read(file);
        read.map_err(|error| unreadable("log.password_file", file, error.to_string()))?;
        builder = builder.password_file(file);
    }
    Ok((key, builder))
}

async fn open_file(key: &'static str, path: &Path, create: bool) -> Result<EmbeddedLog, Failure> {
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || open_file_now(key, &path, create)).await;
    let log = opened.map_err(|error| Failure::Start(causes(&error)))??;
    Ok(log.sweep_every(SWEEP))
}

fn open_file_now(key: &str, path: &Path, create: bool) -> Result<EmbeddedLog, Failure> {
    let problem = |line: String| Problem::new(key, line);
    // A marker beside the file says that the file has existed. After a loss of the file, a new one
    // would make revoked tokens live again.
    let marker = marker(path);
    let has_existed = marker.exists();
    let makes = create && !has_existed;
    if let Some(folder) = folder(path).filter(|_| makes) {
        fs::create_dir_all(folder)
            .map_err(|error| problem(format!("creating {}: {error}", folder.display())))?;
    }
    let open = |wait| {
        if makes {
            EmbeddedLog::open_within(path, wait)
        } else {
            EmbeddedLog::open_existing_within(path, wait)
        }
    };
    let opened = match open(Duration::ZERO) {
        Err(error) if error.kind() == LogErrorKind::Locked => {
            tracing::warn!(
                path = %path.display(),
                seconds = LOCKED.as_secs(),
                "another process has the file open: waiting until it ends"
            );
            open(LOCKED)
        }
        opened => opened,
    };
    let log = opened.map_err(|error| {
        let line = format!("{}: {}", path.display(), causes(&error));
        match error.kind() {
            LogErrorKind::Missing if !has_existed => {
                let line = format!(
                    "{line}; is its disk mounted? to begin with an empty log, remove log.create"
                );
                Failure::from(problem(line))
            }
            LogErrorKind::Missing => {
                let marker = marker.display();
                let line = format!("{line}; to begin again without it, remove {marker}");
                Failure::from(problem(line))
            }
            // The other process may end.
            LogErrorKind::Locked => Failure::Start(format!("{key}: {line}")),
            _ => problem(line).into(),
        }
    })?;
    if !has_existed {
        // The marker may be on the disk that is missing.
        tracing::warn!(
            path = %path.display(),
            "the file is new: nothing is revoked; set log.create = false, so that the next start needs it"
        );
    }
    fs::write(&marker, "").map_err(|error| problem(format!("{}: {error}", marker.display())))?;
    Ok(log)
}

/// The folder of a file. `None` for one in the folder of the process.
pub(crate) fn folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|it| !it.as_os_str().is_empty())
}

/// Makes a log from a backup, at a path without a file.
pub(crate) async fn restore(backup: &Path, path: &Path) -> Result<(), Failure> {
    let failed = |line: String| Failure::Start(format!("{}: {line}", path.display()));
    if path.symlink_metadata().is_ok() {
        return Err(failed(
            "there is a file already: end the sidecar, and move the file away".into(),
        ));
    }
    let restored = EmbeddedLog::restore(backup, path);
    let log = restored.map_err(|error| {
        let backup = backup.display();
        failed(format!("restoring {backup}: {}", causes(&error)))
    })?;
    fs::write(marker(path), "").map_err(|error| failed(error.to_string()))?;
    let closed = close(Store::Left(log)).await;
    closed.map_err(|error| failed(causes(&*error)))
}

/// A file that says that the log has existed.
pub(crate) fn marker(path: &Path) -> PathBuf {
    let mut marker = path.as_os_str().to_owned();
    marker.push(".made");
    marker.into()
}

/// Which access tokens belong to an opaque refresh token: in the file of the log, or in one of its
/// own. `None` if that is not learnt.
pub(crate) async fn links(store: &Store, config: &Config) -> Result<Option<Links>, Failure> {
    let Some(links) = &config.links else {
        return Ok(None);
    };
    let (key, file) = match (store, &links.file) {
        (Either::Left(log), _) => ("log.path", log.clone()),
        (Either::Right(_), Some(path)) => (
            "links.file",
            open_file("links.file", path, config.log.create).await?,
        ),
        (Either::Right(_), None) => {
            return Err(Problem::new("links.file", "missing: the log is on a server").into());
        }
    };
    let links = Links::open(file).map_err(|error| Problem::new(key, causes(&error)))?;
    Ok(Some(match config.log.longest_lifetime {
        Some(lifetime) => links.longest_lifetime(lifetime),
        None => links,
    }))
}

/// Which assertions of clients were used: beside the log, so that each works once in total. `None` if
/// the log stores nothing: then no assertion is accepted.
pub(crate) fn replays(store: &Store) -> Result<Option<Arc<dyn ReplayGuard>>, LogError> {
    match store {
        Either::Left(file) => {
            let guard = EmbeddedGuard::open(file.clone())?;
            tokio::spawn(sweep(guard.clone()));
            Ok(Some(Arc::new(guard)))
        }
        Either::Right(server) => match server.replay_guard() {
            Ok(guard) => Ok(Some(Arc::new(guard))),
            Err(error) => {
                let cause = causes(&error);
                tracing::warn!(cause, "clients cannot authenticate by assertions");
                Ok(None)
            }
        },
    }
}

/// Where orders of operators are kept: beside the log. `None` if the log is a feed, which is read only.
pub(crate) fn journal(store: &Store) -> Result<Option<Arc<dyn Journal>>, LogError> {
    match store {
        Either::Left(file) => {
            let journal = EmbeddedJournal::open(file.clone())?;
            Ok(Some(Arc::new(journal)))
        }
        Either::Right(server) => match server.journal() {
            Ok(journal) => Ok(Some(Arc::new(journal))),
            Err(error) => {
                let cause = causes(&error);
                tracing::warn!(cause, "orders are not kept");
                Ok(None)
            }
        },
    }
}

async fn sweep(guard: EmbeddedGuard) {
    let mut interval = tokio::time::interval(SWEEP);
    loop {
        interval.tick().await;
        if let Err(error) = guard.sweep().await {
            tracing::error!(cause = causes(&error), "sweeping assertions");
        }
    }
}

/// The process ends: what is queued is written, and others do not wait for it.
pub(crate) async fn close(store: Store) -> Result<(), Box<dyn Error + Send + Sync>> {
    match store {
        Either::Left(file) => file.drain().await?,
        // Each append had its answer.
        Either::Right(server) => {
            if let Err(error) = server.close().await {
                let cause = causes(&error);
                tracing::warn!(cause, "others wait for the lease of this process");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_file_is_made_once_and_only_if_that_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk").join("log.redb");
        let open = |create| open_file_now("log.path", &path, create);
        assert!(open(false).is_err() && !path.exists());
        drop(open(true).unwrap());
        drop(open(false).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(open(true).is_err() && open(false).is_err());
        // The marker is lost with the disk.
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert!(open(false).is_err() && !path.exists());
    }
}
