//! What is wrong with the server or the way to it, in one line that says how to mend it.

use std::{error::Error as StdError, fmt, io, time::Duration};

use rustls::AlertDescription;

use super::{
    super::{
        super::{LogError, LogErrorKind},
        url::Wrong,
    },
    settings::Host,
};

/// One line. It never contains a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: LogErrorKind,
    line: String,
    pub(super) then: Then,
}

/// What happens to the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Keep,
    /// Another server may be the primary now.
    Leave,
    /// The connection broke. Another one may work at once.
    Again,
}

impl Fault {
    fn new(kind: LogErrorKind, then: Then, line: impl Into<String>) -> Self {
        let line = line.into();
        Self { kind, line, then }
    }

    pub(super) fn unavailable(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Unavailable, Then::Keep, line)
    }

    pub(super) fn misconfigured(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Misconfigured, Then::Keep, line)
    }

    pub(super) fn unknown_format(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::UnknownFormat, Then::Keep, line)
    }

    pub(super) fn corrupt(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Corrupt, Then::Leave, line)
    }

    /// The server cannot make anything durable, or is not the primary.
    pub(super) fn leave(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Unavailable, Then::Leave, line)
    }

    /// There was no answer. Redis 7.0 without TLS never answers the first message of a handshake.
    pub(super) fn silent(host: &Host, limit: Duration, has_tls: bool) -> Self {
        let check = if has_tls {
            "check that it runs, the network to it, and that this port has TLS (`tls-port`); on this \
             machine, `redis://` connects without TLS"
        } else {
            "check that it runs, and the network to it"
        };
        Self::unavailable(format!("{host} did not answer within {limit:?}: {check}"))
    }

    /// The connection broke before the first reply.
    pub(super) fn closed(place: &str, has_tls: bool) -> Self {
        let mend = if has_tls {
            "look at its log; if it asks for a certificate, set `sslcert` and `sslkey`, or \
             `tls-auth-clients no` there"
        } else {
            "correct the port, or write `rediss://` (`tls=on` for sentinels and clusters) if it has \
             TLS"
        };
        let line = format!("{place} closed the connection: {mend}");
        Self::new(LogErrorKind::Unavailable, Then::Again, line)
    }

    /// The server ends the connection by an alert of TLS.
    pub(super) fn alert(alert: AlertDescription, place: &str) -> Self {
        Self::misconfigured(format!(
            "{place} refuses the connection ({alert:?}): set `sslcert` and `sslkey` to a certificate \
             that it accepts, or `tls-auth-clients no` there",
        ))
    }

    pub(super) fn lost(place: &str) -> Self {
        let line = format!("the connection to {place} broke");
        Self::new(LogErrorKind::Unavailable, Then::Again, line)
    }

    /// The connection broke after this.
    pub(super) fn then_again(mut self) -> Self {
        if self.then == Then::Keep {
            self.then = Then::Again;
        }
        self
    }

    /// A log that is open waits for the server to be mended. Only another format stays what it is.
    pub(super) fn while_open(mut self) -> Self {
        if self.kind == LogErrorKind::Misconfigured {
            self.kind = LogErrorKind::Unavailable;
        }
        self
    }

    /// The server could not be reached.
    pub(super) fn connecting(error: &io::Error, place: &str) -> Self {
        let line = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                format!("nothing listens at {place}: start the server, or correct host and port")
            }
            _ => format!("{place} cannot be reached ({error}): check host, port and network"),
        };
        Self::new(LogErrorKind::Unavailable, Then::Again, line)
    }

    /// The server has refused a command.
    pub(super) fn refused(message: &str, place: &str) -> Self {
        let (code, rest) = message.split_once(' ').unwrap_or((message, ""));
        match code {
            "WRONGPASS" => Self::misconfigured(format!(
                "{place} refuses the password: correct it in the URL or in \
                 TOWER_REVOCATION_PASSWORD_FILE",
            )),
            "NOAUTH" => Self::misconfigured(format!(
                "{place} asks for a password, and there is none: set \
                 TOWER_REVOCATION_PASSWORD_FILE",
            )),
            "NOPERM" => Self::misconfigured(format!(
                "{place} does not allow what a log needs ({rest}): give the user the keys `{{tr*` and \
                 the commands that the guide `fleet` lists, with ACL SETUSER",
            )),
            "OOM" => Self::unavailable(format!("{place} has no memory left: raise maxmemory")),
            "NOSCRIPT" => Self::lost(place),
            "READONLY" | "MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN"
            | "UNBLOCKED" => Self::leave(format!("{place} is not the primary now ({code})")),
            "ERR" if rest.contains("max number of clients") => Self::unavailable(format!(
                "{place} has no connection left: raise `maxclients`; a process needs 3 to 6",
            )),
            "ERR" if rest.contains("without any password") => Self::misconfigured(format!(
                "{place} has no password, and one is given: remove it from the URL and \
                 TOWER_REVOCATION_PASSWORD_FILE, or set `requirepass`",
            )),
            "ERR" if rest.contains("DB index") => Self::misconfigured(format!(
                "{place} has no such database: correct its number in the URL",
            )),
            // What follows is the command itself, which can have a password.
            "ERR" if rest.contains("unknown command") => Self::misconfigured(format!(
                "{place} lacks a command that a log needs ({}): use Redis 7 or Valkey 8, or later",
                rest.split(", with").next().unwrap_or_default(),
            )),
            _ => {
                let rest: String = message.chars().take(200).collect();
                Self::unavailable(format!("{place}: {rest}"))
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl StdError for Fault {}

impl From<Wrong> for Fault {
    fn from(wrong: Wrong) -> Self {
        Self::misconfigured(wrong.line())
    }
}

impl From<Fault> for LogError {
    fn from(fault: Fault) -> Self {
        Self::new(fault.kind).caused_by(fault)
    }
}
