//! The scripts, which run in the server as a whole or not at all.

use super::{
    fault::Fault,
    keys::Keys,
    resp::{Reply, Request},
};

const SOURCES: &[(Script, &str)] = &[
    (Script::Append, include_str!("append.lua")),
    (Script::Poll, include_str!("poll.lua")),
    (Script::Begin, include_str!("begin.lua")),
    (Script::Lease, include_str!("lease.lua")),
    (Script::Sweep, include_str!("sweep.lua")),
    #[cfg(feature = "jwt")]
    (Script::UseUp, include_str!("use_up.lua")),
    #[cfg(feature = "admin")]
    (Script::Write, include_str!("journal/write.lua")),
    #[cfg(feature = "admin")]
    (Script::Replace, include_str!("journal/replace.lua")),
    #[cfg(feature = "admin")]
    (Script::Read, include_str!("journal/read.lua")),
    #[cfg(feature = "admin")]
    (Script::Newest, include_str!("journal/newest.lua")),
    #[cfg(feature = "admin")]
    (Script::TakeDue, include_str!("journal/take_due.lua")),
    #[cfg(feature = "admin")]
    (Script::Waiting, include_str!("journal/waiting.lua")),
];

/// Tries what the others need.
pub(super) const RIGHTS: &str = include_str!("rights.lua");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Append,
    Poll,
    Begin,
    Lease,
    Sweep,
    #[cfg(feature = "jwt")]
    UseUp,
    /// These are about the journal.
    #[cfg(feature = "admin")]
    Write,
    #[cfg(feature = "admin")]
    Replace,
    #[cfg(feature = "admin")]
    Read,
    #[cfg(feature = "admin")]
    Newest,
    #[cfg(feature = "admin")]
    TakeDue,
    #[cfg(feature = "admin")]
    Waiting,
}

impl Script {
    /// Whether it gets the keys of the journal.
    fn has_journal(self) -> bool {
        match self {
            Self::Append | Self::Poll | Self::Begin | Self::Lease => false,
            #[cfg(feature = "jwt")]
            Self::UseUp => false,
            // Entries that have expired are also removed by nodes that write none.
            _ => true,
        }
    }
}

/// What the server calls the scripts.
pub(super) struct Loaded(Vec<(Script, Vec<u8>)>);

/// Asks for all of them to be loaded.
pub(super) fn load() -> Request {
    let mut request = Request::default();
    for (script, source) in SOURCES {
        let journal = if script.has_journal() {
            include_str!("journal/head.lua")
        } else {
            ""
        };
        let source = [include_str!("head.lua"), journal, source].concat();
        request.add(&[b"SCRIPT", b"LOAD", source.as_bytes()]);
    }
    request
}

impl Loaded {
    pub(super) fn read(replies: Vec<Reply>, place: &str) -> Result<Self, Fault> {
        let names = replies.into_iter().map(|reply| match reply {
            Reply::Text(name) => Ok(name),
            Reply::Error(error) => Err(Fault::refused(&error, place)),
            _ => Err(Fault::corrupt(format!("{place} loads no scripts"))),
        });
        let scripts = SOURCES.iter().map(|(script, _)| *script);
        let loaded = scripts.zip(names).map(|(script, name)| Ok((script, name?)));
        loaded.collect::<Result<_, _>>().map(Self)
    }

    /// Adds a call to a request.
    pub(super) fn call(
        &self,
        request: &mut Request,
        script: Script,
        keys: &Keys,
        arguments: &[&[u8]],
    ) {
        let loaded = self.0.iter().find(|(known, _)| *known == script);
        let name = loaded.map_or(&b""[..], |(_, name)| name);
        let keys = if script.has_journal() {
            &keys.all[..]
        } else {
            keys.of_records()
        };
        let count = keys.len().to_string();
        let mut command = vec![&b"EVALSHA"[..], name, count.as_bytes()];
        command.extend(keys.iter().map(String::as_bytes));
        command.extend(arguments);
        request.add(&command);
    }
}
