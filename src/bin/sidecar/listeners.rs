//! The sockets of the program.

use std::{
    env, fmt, fs, io,
    net::SocketAddr,
    os::unix::fs::FileTypeExt as _,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use tokio::net::{TcpListener, UnixListener};
use tower_revocation::proxy::server::{Listener, Server, ServerTls};

use crate::{
    config::{Admin, Config, Limits, Listen, Problem, Run},
    failure::{Failure, causes},
};

/// Listens at an address. Says at which one: the port may be any free one.
pub(crate) async fn bind(
    key: &'static str,
    listen: &Listen,
) -> Result<(TcpListener, SocketAddr), Failure> {
    let problem = |error: io::Error| failed(key, listen.address, &error);
    let listener = TcpListener::bind(listen.address).await.map_err(problem)?;
    let address = listener.local_addr().map_err(problem)?;
    let tls = listen.tls.is_some();
    tracing::info!(listener = key, %address, tls, "listening");
    Ok((listener, address))
}

/// An address that another process has now may be free later.
fn failed(key: &str, place: impl fmt::Display, error: &io::Error) -> Failure {
    use io::ErrorKind::{AddrInUse, AddrNotAvailable};

    let line = format!("{place}: {}", causes(error));
    match error.kind() {
        AddrInUse | AddrNotAvailable => Failure::Start(format!("{key}: {line}")),
        _ => Problem::new(key, line).into(),
    }
}

/// A server with the limits of the configuration.
pub(crate) fn server(limits: &Limits, run: &Run, tls: Option<ServerTls>) -> Server {
    let server = Server::new()
        .max_connections(limits.connections)
        .max_connections_per_address(limits.connections_per_address)
        .head_timeout(limits.head_timeout)
        .idle_timeout(limits.idle_timeout)
        .shutdown_timeout(run.shutdown_timeout);
    match tls {
        Some(tls) => server.tls(tls),
        None => server,
    }
}

/// The socket of the command line. It is removed when the value is dropped.
#[derive(Debug)]
pub(crate) struct Socket(PathBuf);

/// Where the socket is if the configuration does not say it.
pub(crate) fn usual_socket() -> PathBuf {
    // systemd names the folder that it made.
    let folder = env::var_os("RUNTIME_DIRECTORY").filter(|folder| !folder.is_empty());
    folder
        .map_or_else(|| PathBuf::from("/run/sidecar"), PathBuf::from)
        .join("admin.sock")
}

impl Socket {
    /// Listens at the socket. Without a place of its own in the configuration, a failure is only a
    /// warning.
    pub(crate) fn bind(admin: &Admin) -> Result<Option<(UnixListener, Self)>, Failure> {
        let usual = usual_socket();
        let path = admin.socket.as_deref().unwrap_or(&usual);
        match (listen(path), &admin.socket) {
            (Ok(listener), _) => {
                tracing::info!(listener = "admin.socket", path = %path.display(), "listening");
                Ok(Some((listener, Self(path.to_owned()))))
            }
            (Err(error), Some(_)) => Err(failed("admin.socket", path.display(), &error)),
            (Err(error), None) => {
                let cause = causes(&error);
                let path = path.display();
                tracing::warn!(%path, cause, "no admin socket: the commands need one, so set admin.socket");
                Ok(None)
            }
        }
    }
}

/// Serves only this user and root, whatever the mode of the socket becomes.
#[cfg(target_os = "linux")]
pub(crate) fn of_this_user(listener: UnixListener) -> Listener {
    Listener::from(listener).only_users([0, crate::process::user()])
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn of_this_user(listener: UnixListener) -> Listener {
    listener.into()
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Only the user of this process can open it, by the umask.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let is_socket = |path: &Path| {
        let metadata = fs::symlink_metadata(path);
        metadata.is_ok_and(|metadata| metadata.file_type().is_socket())
    };
    if is_socket(path) {
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another process listens there",
            ));
        }
        // Its process was killed.
        fs::remove_file(path)?;
    } else if let Some(folder) = path.parent() {
        if !folder.as_os_str().is_empty() && !folder.exists() {
            fs::create_dir(folder)?;
        }
    }
    UnixListener::bind(path)
}

/// What a reload cannot change. The error names the key.
pub(crate) fn unchanged(old: &Config, new: &Config) -> Result<(), Problem> {
    let restart = |key: &str| {
        Err(Problem::new(
            key,
            "a change needs a restart: nothing of this configuration is in use",
        ))
    };
    if old.log != new.log {
        return restart("log");
    }
    let of = |config: &Config| {
        let listeners = config.listeners();
        listeners
            .map(|(key, listen)| (key, (listen.address, listen.tls.is_some())))
            .collect::<Vec<_>>()
    };
    let (before, after) = (of(old), of(new));
    let is_in = |list: &[_], it| list.contains(it);
    if let Some((key, _)) = after.iter().find(|it| !is_in(&before, it)) {
        return restart(key);
    }
    if let Some((key, _)) = before.iter().find(|it| !is_in(&after, it)) {
        return restart(key);
    }
    if old.admin.socket != new.admin.socket {
        return restart("admin.socket");
    }
    if old.feed != new.feed {
        return restart("feed");
    }
    let links = |config: &Config| config.links.as_ref().map(|links| links.file.clone());
    if links(old) != links(new) {
        return restart("links");
    }
    if old.sightings.is_some() != new.sightings.is_some() {
        return restart("sightings");
    }
    if old.limits != new.limits {
        return restart("limits");
    }
    if old.run.shutdown_timeout != new.run.shutdown_timeout {
        return restart("run.shutdown_timeout");
    }
    if old.logging.format != new.logging.format {
        return restart("logging.format");
    }
    Ok(())
}
