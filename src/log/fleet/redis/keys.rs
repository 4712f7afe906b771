//! The names of the keys. They share a hash tag, so that a cluster has them on one server.

/// Of one log.
pub(super) struct Keys {
    /// What the scripts get, in this order: see `scripts/head.lua` and `scripts/journal/head.lua`.
    pub(super) all: [String; 13],
    pub(super) members: String,
    pub(super) stream: String,
    /// To try commands.
    pub(super) check: String,
}

/// How many of all keys a script gets that has nothing to do with the journal.
const WITHOUT_JOURNAL: usize = 8;

impl Keys {
    /// The keys without those of the journal.
    pub(super) fn of_records(&self) -> &[String] {
        &self.all[..WITHOUT_JOURNAL]
    }

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
                "entries",
                "places",
                "entry-keys",
                "entry-ends",
                "dues",
            ]
            .map(key),
            members: key("members"),
            stream: key("stream"),
            check: key("check"),
        }
    }
}
