//! `[admin]`: the socket of the command line, and the listener of operators.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    listen::{Listen, Tls},
    problem::{Problem, Problems},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    socket: Option<PathBuf>,
    listen: Option<String>,
    tls: Option<Tls>,
    insecure: Option<bool>,
    tokens_file: Option<PathBuf>,
    hosts: Option<Vec<String>>,
}

/// The socket of the command line, and the listener of operators.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Admin {
    /// `None`: the default place. If it cannot be made there, there is none.
    pub(crate) socket: Option<PathBuf>,
    pub(crate) listen: Option<Listen>,
    /// Names, roles and digests of tokens. `None`: no orders over TCP.
    pub(crate) tokens_file: Option<PathBuf>,
    /// The values of `Host` over TCP, beside the address of the listener.
    pub(crate) hosts: Vec<String>,
}

impl Admin {
    /// `None` if something is wrong.
    pub(super) fn new(section: Section, found: &mut Problems) -> Option<Self> {
        for (is_set, key) in [
            (section.tls.is_some(), "admin.tls"),
            (section.tokens_file.is_some(), "admin.tokens_file"),
            (section.hosts.is_some(), "admin.hosts"),
        ] {
            if is_set && section.listen.is_none() {
                found.note(Problem::new(key, "it needs admin.listen: add it"));
            }
        }
        let insecure = section.insecure.unwrap_or(false);
        let listen = section.listen.map(|listen| {
            let listen = Listen::new("admin.listen", &listen, section.tls)?;
            listen.confidential("admin", insecure)
        });
        let socket = section.socket;
        if socket.as_ref().is_some_and(|it| it.as_os_str().is_empty()) {
            let reason = "expected the path of a socket";
            found.note(Problem::new("admin.socket", reason));
        }
        Some(Self {
            socket,
            listen: found.or_note(listen.transpose())?,
            tokens_file: section.tokens_file,
            hosts: section.hosts.unwrap_or_default(),
        })
    }
}
