//! The nodes of a fleet, and how one leaves it.

use std::sync::Arc;

use futures::channel::oneshot;

use super::{
    super::LogError,
    FleetLog,
    driver::{Command, ended},
};

impl FleetLog {
    /// Returns the processes that use the log, as of this one's last report to the database: about
    /// five times in a lease. Empty until the first one, and always empty on a process that follows a
    /// feed: it is a part of its relay.
    ///
    /// A process that neither [closes](Self::close) nor drops its log is listed until its lease is over.
    ///
    /// ```no_run
    /// # async fn _example(log: tower_revocation::log::FleetLog) {
    /// for member in log.members().iter().filter(|member| member.lag() > 1000) {
    ///     println!("{} is {} records behind", member.name(), member.lag());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn members(&self) -> Arc<[FleetMember]> {
        let status = self.node.status();
        status.map(|status| status.members).unwrap_or_default()
    }

    /// Ends the log in this process, so that no other one waits for it. Returns once every append has
    /// its answer, and the process is off the list of [members](Self::members). A process that others
    /// follow, or that could not give back its records, stays on the list until its lease is over:
    /// `Ok` also then.
    ///
    /// Before that, the process asks once more whether the log has lost records, and gives back those
    /// that it remembers. Usually that takes one round trip, and never more than 1.02 leases.
    ///
    /// Call it when the process ends, after the last request. **From then on, appends to this log and
    /// its clones fail, and an index that follows it accepts no token.** A process that ends in
    /// another way is waited for until its lease is over: by appends that wait for all processes, and
    /// by all processes after a failover. The same holds, in spite of this call, for a process that
    /// follows a feed, and for a relay that others follow. A log in a file has no such call:
    /// `EmbeddedLog::drain` waits until what is queued is written, and the log stays open.
    ///
    /// ```no_run
    /// # async fn _example(log: tower_revocation::log::FleetLog) {
    /// // The last request has its response.
    /// if let Err(error) = log.close().await {
    ///     eprintln!("others wait for this process: {error}");
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// * [`Unavailable`](crate::log::LogErrorKind::Unavailable) if the database does not answer: others
    ///   wait for the lease of this process. The log has ended nevertheless.
    /// * [`Closed`](crate::log::LogErrorKind::Closed) if the log has ended before.
    pub async fn close(&self) -> Result<(), LogError> {
        let (reply, answer) = oneshot::channel();
        // A full queue has room soon.
        let sent = self.commands.send(Command::Close(reply)).await;
        sent.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// A process that uses the log, as another one sees it. See [`FleetLog::members`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetMember {
    pub(super) name: Arc<str>,
    pub(super) lag: u64,
    pub(super) has_healed: bool,
    pub(super) is_this_process: bool,
}

impl FleetMember {
    /// Returns the host name and the number of the process.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many records the member lacked when it last reported.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.lag
    }

    /// Returns whether the member has given back to the log what it remembers, after the log was
    /// restored or has failed over. Until all members have, no process renews its lease, for at most
    /// 1.02 leases.
    #[must_use]
    pub fn has_healed(&self) -> bool {
        self.has_healed
    }

    /// Returns whether this process is the member.
    #[must_use]
    pub fn is_this_process(&self) -> bool {
        self.is_this_process
    }
}

/// Returns the host name and the number of this process, for people.
pub(super) fn name_of_this_process() -> Arc<str> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.unwrap_or_default();
    let is_plain = |char: &char| !char.is_control() && !char.is_whitespace();
    let host: String = host.chars().filter(is_plain).take(64).collect();
    format!("{host}/{}", std::process::id()).into()
}
