//! What is wrong with the server or the way to it, in one line that says how to mend it.

use std::{error::Error as StdError, fmt, io};

use tokio_postgres::{Error as DriverError, error::SqlState};

use super::super::{
    super::{LogError, LogErrorKind},
    cause::cause,
    url::Wrong,
};
use super::advice::{Who, missing_rights, pooled};

/// One line. It never contains a password, nor what a server says beyond its message: details can
/// contain rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: LogErrorKind,
    line: String,
    /// Whether the connection broke. Another one may work at once.
    pub(super) lost: bool,
    /// Whether somebody else has created the same thing.
    pub(super) exists: bool,
}

impl Fault {
    fn new(kind: LogErrorKind, line: impl Into<String>) -> Self {
        Self {
            kind,
            line: line.into(),
            lost: false,
            exists: false,
        }
    }

    pub(super) fn unavailable(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Unavailable, line)
    }

    pub(super) fn misconfigured(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Misconfigured, line)
    }

    pub(super) fn unknown_format(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::UnknownFormat, line)
    }

    pub(super) fn corrupt(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Corrupt, line)
    }

    fn lost(line: impl Into<String>) -> Self {
        Self {
            lost: true,
            ..Self::unavailable(line)
        }
    }

    /// A log that is open waits for the server to be mended. Only another format stays what it is.
    pub(super) fn while_open(mut self) -> Self {
        if self.kind == LogErrorKind::Misconfigured {
            self.kind = LogErrorKind::Unavailable;
        }
        self
    }

    /// The server could not be reached, or did not let us in.
    pub(super) fn connecting(error: &DriverError, who: &Who) -> Self {
        let Who { place, role, .. } = who;
        if let Some(error) = error.as_db_error() {
            return Self::refused(error.code(), error.message(), who);
        }
        if let Some(error) = cause::<rustls::Error>(error) {
            return Self::misconfigured(match error {
                rustls::Error::InvalidCertificate(why) => format!(
                    "the certificate of {place} is not accepted ({why}): set `sslrootcert` to its \
                     CA, and use the host name that the certificate has",
                ),
                _ => format!(
                    "TLS with {place} fails ({error}): check its `ssl` settings, and `sslcert` and \
                     `sslkey`",
                ),
            });
        }
        if let Some(error) = cause::<io::Error>(error) {
            let line = match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    format!(
                        "nothing listens at {place}: start the server, or correct host and port"
                    )
                }
                io::ErrorKind::NotFound => {
                    format!(
                        "there is no socket at {place}: start the server, or correct its folder"
                    )
                }
                _ => format!("{place} cannot be reached ({error}): check host, port and network"),
            };
            return Self::lost(line);
        }
        let why = whole(error);
        if why.contains("password missing") {
            return Self::misconfigured(format!(
                "{place} asks for the password of {role}, and there is none: set PGPASSWORD, \
                 TOWER_REVOCATION_PASSWORD_FILE or a line in ~/.pgpass",
            ));
        }
        if why.contains("does not support TLS") {
            return Self::misconfigured(format!(
                "{place} does not offer TLS: set `ssl = on` in postgresql.conf",
            ));
        }
        if error.is_closed() {
            return Self::lost(format!("{place} closed the connection"));
        }
        Self::unavailable(format!("{place} does not let us in ({why})"))
    }

    /// A statement failed.
    pub(super) fn asking(error: &DriverError, who: &Who) -> Self {
        let place = &who.place;
        match error.as_db_error() {
            Some(error) => Self::refused(error.code(), error.message(), who),
            None if error.is_closed() || cause::<io::Error>(error).is_some() => {
                Self::lost(format!("the connection to {place} broke"))
            }
            None => Self::corrupt(format!("{place} does not speak as expected ({error})")),
        }
    }

    fn refused(code: &SqlState, message: &str, who: &Who) -> Self {
        let Who {
            place,
            role,
            database,
            schema,
        } = who;
        let line = match *code {
            SqlState::INVALID_PASSWORD => format!(
                "{place} refuses the password of {role}: correct it in the URL, PGPASSWORD, \
                 TOWER_REVOCATION_PASSWORD_FILE or ~/.pgpass",
            ),
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION => format!(
                "{place} does not let {role} in ({message}): create the role, and allow it in \
                 pg_hba.conf",
            ),
            SqlState::INVALID_CATALOG_NAME => format!(
                "{place} has no database {database}: create it, or correct its name in the URL",
            ),
            SqlState::INSUFFICIENT_PRIVILEGE => missing_rights(who),
            SqlState::READ_ONLY_SQL_TRANSACTION => format!(
                "{place} accepts no writes: use the primary, and reset \
                 default_transaction_read_only",
            ),
            SqlState::INVALID_SQL_STATEMENT_NAME => pooled(place),
            SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_TABLE => {
                return Self::lost(format!(
                    "the schema {schema} at {place} lacks tables or functions: restore them, update \
                     this node if others have a newer version, or restart it to begin with an empty \
                     log",
                ));
            }
            SqlState::TOO_MANY_CONNECTIONS => {
                return Self::unavailable(format!(
                    "{place} has no connection left ({message}): raise max_connections, or the \
                     CONNECTION LIMIT of the role or database that it names; a process needs 3 to \
                     11, see the guide `fleet`",
                ));
            }
            // Others have changed a function: it has to be prepared again.
            SqlState::FEATURE_NOT_SUPPORTED
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW => {
                return Self::lost(format!("{place}: {message}"));
            }
            _ => {
                let created = [
                    SqlState::UNIQUE_VIOLATION,
                    SqlState::DUPLICATE_SCHEMA,
                    SqlState::DUPLICATE_TABLE,
                ];
                let line = format!("{place}: {message} ({})", code.code());
                return Self {
                    exists: created.contains(code),
                    ..Self::unavailable(line)
                };
            }
        };
        Self::misconfigured(line)
    }
}

fn whole(error: &DriverError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
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
