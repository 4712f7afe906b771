//! `[admin]`: the socket of the command line, and the listener of operators.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    listen::{Listen, Tls},
    problem::Problem,
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
    pub(super) fn new(section: Section) -> Result<Self, Problem> {
        for (is_set, key) in [
            (section.tls.is_some(), "admin.tls"),
            (section.tokens_file.is_some(), "admin.tokens_file"),
            (section.hosts.is_some(), "admin.hosts"),
        ] {
            if is_set && section.listen.is_none() {
                return Err(Problem::new(key, "it needs admin.listen: add it"));
            }
        }
        let insecure = section.insecure.unwrap_or(false);
        let listen = section.listen.map(|listen| {
            let listen = Listen::new("admin.listen", &listen, section.tls)?;
            listen.confidential("admin", insecure)
        });
        if section
            .socket
            .as_ref()
            .is_some_and(|path| path.as_os_str().is_empty())
        {
            return Err(Problem::new(
                "admin.socket",
                "expected the path of a socket",
            ));
        }
        Ok(Self {
            socket: section.socket,
            listen: listen.transpose()?,
            tokens_file: section.tokens_file,
            hosts: section.hosts.unwrap_or_default(),
        })
    }
}
