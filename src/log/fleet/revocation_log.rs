//! What everything else needs of a log: appends, readers, health.

use std::{sync::Weak, time::Duration};

use futures::channel::oneshot;
use tokio::sync::mpsc;

use super::{
    super::{
        Appended, Durability, LogError, LogErrorKind, LogHealth, Position, Reader, Revocation,
        RevocationLog, Selector, observe,
    },
    FleetLog,
    driver::{Command, ended},
    engine::Batch,
    node,
    observe::Write,
    url,
};

impl RevocationLog for FleetLog {
    fn append(
        &self,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Position, LogError>> + Send {
        let appended = self.queue(None, usize::MAX, batch);
        async move {
            let appended = appended.await?;
            // Any number of selectors may be new.
            let appended = appended.ok_or_else(|| LogError::new(LogErrorKind::Full))?;
            Ok(appended.position)
        }
    }

    fn append_at_most(
        &self,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        self.queue(None, new, batch)
    }

    fn append_for(
        &self,
        client: Selector,
        new: usize,
        batch: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send {
        self.queue(Some(client), new, batch)
    }

    fn health(&self) -> LogHealth {
        if self.commands.is_closed() {
            return node::ended_health();
        }
        self.node.health()
    }

    /// Every reader of this node gets everything again, or with a mirror what is newer. Fails if the
    /// database does not answer meanwhile.
    async fn follow(&self, reader: Weak<dyn Reader>) -> Result<(), LogError> {
        self.node.readers().add(reader.clone());
        let has = match &self.kept {
            Some(kept) => kept.tell(reader.clone()).await,
            None => None,
        };
        let (reply, answer) = oneshot::channel();
        let sent = self.send(Command::Follow { has, reply });
        let followed = match sent {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(ended())),
            Err(error) => Err(error),
        };
        followed.inspect_err(|_| self.node.readers().remove(&reader))
    }

    fn lease(&self) -> Option<Duration> {
        Some(self.lease)
    }

    fn durability(&self) -> Durability {
        (self.durability)()
    }
}

impl FleetLog {
    fn queue(
        &self,
        client: Option<Selector>,
        new: usize,
        records: Vec<Revocation>,
    ) -> impl Future<Output = Result<Option<Appended>, LogError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Append {
            client,
            batch: Batch { records, new },
            write: Write::begin(),
            reply,
        };
        let sent = match self.read_only().or_else(|| self.node.refusal()) {
            Some(refusal) => {
                observe::refused("not_writable");
                Err(refusal)
            }
            None => self.send(command),
        };
        async move {
            sent?;
            answer.await.unwrap_or_else(|_| Err(ended()))
        }
    }

    /// Returns the error of an append to a log that can only be read.
    fn read_only(&self) -> Option<LogError> {
        self.read_only.map(url::wrong)
    }

    fn send(&self, command: Command) -> Result<(), LogError> {
        self.commands
            .try_send(command)
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => {
                    observe::refused("queue");
                    LogError::new(LogErrorKind::QueueFull)
                }
                mpsc::error::TrySendError::Closed(_) => ended(),
            })
    }
}
