//! What the handles of a log ask of its driver.

use futures::channel::oneshot;

use super::{
    super::{
        super::{Appended, LogError, Selector},
        core::Event,
        engine::{Batch, Engine},
        kept::KeptUpTo,
        observe::Write,
    },
    Driver, ended,
};

/// What a handle of the log asks of its driver.
pub(in crate::log::fleet) enum Command {
    /// A reader was added. The reply comes when it is complete.
    Follow {
        /// The reader has everything up to here.
        has: Option<KeptUpTo>,
        reply: oneshot::Sender<Result<(), LogError>>,
    },
    Append {
        client: Option<Selector>,
        batch: Batch,
        write: Write,
        reply: Reply,
    },
    /// The process ends. The reply comes once others do not wait for it any more.
    Close(oneshot::Sender<Result<(), LogError>>),
}

pub(in crate::log::fleet) type Reply = oneshot::Sender<Result<Option<Appended>, LogError>>;

impl<E: Engine> Driver<E> {
    /// Takes a command, and those that wait behind it. Their appends go together.
    pub(super) fn take(&mut self, first: Command) {
        let now = (self.clock)();
        let mut last = None;
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Follow { has, reply } => {
                    self.followers.push(reply);
                    let has = has.filter(|has| self.core.knows(has.incarnation));
                    self.handle(match has {
                        Some(has) => Event::FollowAfter(has.cursor),
                        None => Event::Follow,
                    });
                }
                Command::Close(reply) => {
                    self.closing.begin(reply);
                    // It polls at once.
                    self.handle(Event::Report);
                }
                Command::Append { reply, .. } if self.closing.has_begun() => {
                    let _ = reply.send(Err(ended()));
                }
                Command::Append {
                    client,
                    batch,
                    write,
                    reply,
                } => {
                    let id = self.next;
                    self.next += 1;
                    self.callers.insert(id, (write, reply));
                    if let Some((id, client, batch)) = last.replace((id, client, batch)) {
                        for action in self.core.put(now, id, client, batch) {
                            self.act(action);
                        }
                    }
                }
            }
            next = self.commands.try_recv().ok();
        }
        if let Some((id, client, batch)) = last {
            self.handle(Event::Append { id, client, batch });
        }
    }
}
