//! The names of the keys. They share a hash tag, so that a cluster has them on one server.

/// Of one log.
pub(super) struct Keys {
    /// What each script gets, in this order: see `scripts/head.lua`.
    pub(super) all: [String; 8],
    pub(super) members: String,
    pub(super) stream: String,
    /// To try commands.
    pub(super) check: String,
}

impl Keys {
    pub(super) fn new(name: Option<&str>) -> Self {
        let prefix = match name {
            None => "{tr}:".to_owned(),
            Some(name) => format!("{{tr:{name}}}:"),
        };
        let key = |name: &str| format!("{prefix}{name}");
        Self {
            all: [
                "head",
                "records",
                "stream",
                "ends",
                "members",
                "uses",
                "use-ends",
                "use-counts",
            ]
            .map(key),
            members: key("members"),
            stream: key("stream"),
            check: key("check"),
        }
    }
}
