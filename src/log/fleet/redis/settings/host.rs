//! A host and its port.

use std::fmt;

use super::super::super::url::is_local;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

impl Host {
    /// Whether connections to it do not leave this machine.
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.name)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') {
            return write!(f, "[{name}]:{port}");
        }
        write!(f, "{name}:{port}")
    }
}
