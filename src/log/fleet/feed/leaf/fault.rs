//! What is wrong with the relay or the way to it, in one line that says how to mend it.

use std::{error::Error as StdError, fmt, io};

use hyper::StatusCode;

use super::super::{
    super::{
        cause::cause,
        url::{PASSWORD_FILE, Wrong},
    },
    codec::Broken,
};
use crate::log::{LogError, LogErrorKind};

/// One line. It never contains a token, nor what the relay says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::log::fleet::feed) struct Fault {
    pub(super) kind: LogErrorKind,
    line: String,
    /// Whether the connection broke. Another one may work at once.
    pub(super) lost: bool,
    /// Whether the relay has no time now.
    pub(super) is_busy: bool,
}

impl Fault {
    fn new(kind: LogErrorKind, line: impl Into<String>) -> Self {
        Self {
            kind,
            line: line.into(),
            lost: false,
            is_busy: false,
        }
    }

    pub(super) fn unavailable(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Unavailable, line)
    }

    pub(super) fn misconfigured(line: impl Into<String>) -> Self {
        Self::new(LogErrorKind::Misconfigured, line)
    }

    /// A log that is open waits for the relay to be mended. Only another format stays what it is.
    pub(super) fn while_open(mut self) -> Self {
        if self.kind == LogErrorKind::Misconfigured {
            self.kind = LogErrorKind::Unavailable;
        }
        self
    }

    pub(in crate::log::fleet::feed) fn connecting(error: &io::Error, place: &str) -> Self {
        if let Some(error) = cause::<rustls::Error>(error) {
            return Self::misconfigured(match error {
                rustls::Error::InvalidCertificate(why) => format!(
                    "the certificate of {place} is not accepted ({why}): set `sslrootcert` to its \
                     CA, and use the host name that the certificate has",
                ),
                rustls::Error::AlertReceived(_) => format!(
                    "TLS with {place} fails ({error}): check the server in front of the relay, and \
                     `sslcert` and `sslkey`",
                ),
                _ => format!(
                    "{place} does not speak TLS ({error}): correct the port, or the server in front \
                     of the relay",
                ),
            });
        }
        Self::unavailable(match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                format!("nothing listens at {place}: start the relay, or correct host and port")
            }
            _ => format!("{place} cannot be reached ({error}): check host, port and network"),
        })
    }

    pub(super) fn late(place: &str) -> Self {
        Self::unavailable(format!(
            "{place} did not answer in time: check that it runs, and the network to it",
        ))
    }

    /// The connection broke before there was an answer, or in the middle of it.
    pub(super) fn asking(error: &(dyn StdError + 'static), place: &str) -> Self {
        // In TLS 1.3, the handshake of this side is over before the relay looks at the certificate.
        if let Some(rustls::Error::AlertReceived(alert)) = cause(error) {
            return Self::misconfigured(format!(
                "{place} refuses the connection ({alert:?}): set `sslcert` and `sslkey` to a \
                 certificate that the relay accepts",
            ));
        }
        let kind = cause::<io::Error>(error).map(|error| format!(" ({error})"));
        Self {
            lost: true,
            ..Self::unavailable(format!(
                "the connection to {place} broke{}",
                kind.unwrap_or_default(),
            ))
        }
    }

    /// The relay does not answer the question.
    pub(super) fn refused(status: StatusCode, place: &str, path: &str, has_token: bool) -> Self {
        match status {
            StatusCode::UNAUTHORIZED if has_token => Self::misconfigured(format!(
                "{place} does not accept the token: put one that the relay has into the file that \
                 {TOKEN_FILE} names",
            )),
            StatusCode::UNAUTHORIZED => Self::misconfigured(format!(
                "{place} asks for a token, and there is none: set {TOKEN_FILE} to a file with one",
            )),
            StatusCode::FORBIDDEN => Self::misconfigured(format!(
                "{place} does not serve this client: set `sslcert` and `sslkey` to a certificate \
                 that the relay accepts",
            )),
            StatusCode::BAD_REQUEST => Self::new(
                LogErrorKind::UnknownFormat,
                format!("{place} does not understand the question: update the relay"),
            ),
            StatusCode::SERVICE_UNAVAILABLE => Self {
                is_busy: true,
                ..Self::unavailable(format!(
                    "{place} is busy, or cannot reach the log itself: look at the relay",
                ))
            },
            status if status.is_server_error() => {
                Self::unavailable(format!("{place} fails ({status}): look at the relay"))
            }
            status => Self::misconfigured(format!(
                "there is no feed at {path} of {place} ({status}): correct the path of the URL",
            )),
        }
    }

    pub(super) fn broken(why: Broken, place: &str) -> Self {
        Self::new(why.kind(), format!("{place} serves no usable feed: {why}"))
    }
}

/// Names the file with the bearer token.
pub(super) const TOKEN_FILE: &str = PASSWORD_FILE;

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
