//! What a server has to show before its answer counts.
//!
//! A server that was deposed still answers, until it notices. An append would be lost there, and a
//! poll would find nothing new for ever.

use std::time::Duration;

use super::{
    fault::Fault,
    resp::{Reply, Request},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Proof {
    /// That the server has written its own file to the disk. Redis 7.0 cannot say.
    pub(super) own: bool,
    /// How many replicas have what was written. Not that they have it in their files: a replica says
    /// that only once a second.
    pub(super) replicas: u32,
    /// Whether a replica may take over.
    pub(super) may_fail_over: bool,
}

impl Proof {
    /// For polls: another server can take over. That the file is written does not matter to them.
    pub(super) fn of_polls(self) -> Self {
        Self { own: false, ..self }
    }

    pub(super) fn is_needed(self) -> bool {
        self.own || self.replicas > 0
    }

    /// Refuses a server with so many replicas that another one of them could take over, and have enough
    /// that confirm its writes, while this one still has enough as well.
    pub(super) fn suffices(self, replicas: u32, place: &str) -> Result<(), Fault> {
        let least = replicas.div_ceil(2);
        if !self.may_fail_over || self.replicas >= least {
            return Ok(());
        }
        Err(Fault::misconfigured(format!(
            "{place} has {replicas} replicas, and `replicas={}` of them confirm a write: one that lacks \
             it could take over; write `replicas={least}` or more into the URL, or \
             `assume=no-failover` if none ever takes over",
            self.replicas,
        )))
    }

    /// Asks for the proof, after a command that has written something on the same connection.
    pub(super) fn ask(self, request: &mut Request, limit: Duration) {
        // The server gives up first, so that its reply says how far it came.
        let limit = (limit / 8 * 7).as_millis().max(1).to_string();
        if self.replicas > 0 {
            let replicas = self.replicas.to_string();
            request.add(&[b"WAIT", replicas.as_bytes(), limit.as_bytes()]);
        }
        if self.own {
            request.add(&[b"WAITAOF", b"1", b"0", limit.as_bytes()]);
        }
    }

    /// Reads the replies.
    pub(super) fn read(
        self,
        replies: &mut impl Iterator<Item = Reply>,
        place: &str,
    ) -> Result<(), Fault> {
        let foreign = || Fault::corrupt(format!("{place} does not say who has a record"));
        if self.replicas > 0 {
            let replicas = match replies.next() {
                Some(Reply::Number(replicas)) => replicas,
                Some(Reply::Error(error)) => return Err(Fault::refused(&error, place)),
                _ => return Err(foreign()),
            };
            if replicas < self.replicas.into() {
                return Err(Fault::leave(format!(
                    "{place} has {replicas} of {} replicas that confirm what it writes: start \
                     them, or check the network to them",
                    self.replicas,
                )));
            }
        }
        if self.own {
            match replies.next() {
                Some(Reply::List(numbers)) => match numbers.first() {
                    Some(Reply::Number(0)) => {
                        return Err(Fault::unavailable(format!(
                            "{place} has not written its file in time: check its disk",
                        )));
                    }
                    Some(Reply::Number(_)) => {}
                    _ => return Err(foreign()),
                },
                Some(Reply::Error(error)) => return Err(Fault::refused(&error, place)),
                _ => return Err(foreign()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(proof: Proof, replies: impl IntoIterator<Item = Reply>) -> bool {
        proof.read(&mut replies.into_iter(), "it").is_ok()
    }

    #[test]
    fn replies_must_say_that_enough_have_it() {
        assert!(read(Proof::default(), []));
        let wait = Proof {
            replicas: 2,
            ..Proof::default()
        };
        for (replicas, enough) in [(0, false), (1, false), (2, true), (3, true)] {
            assert_eq!(read(wait, [Reply::Number(replicas)]), enough);
        }
        let both = Proof {
            own: true,
            replicas: 1,
            ..Proof::default()
        };
        let list = |own| Reply::List([own, 0].map(Reply::Number).into());
        for (own, replicas, enough) in [(0, 1, false), (1, 0, false), (0, 0, false), (1, 1, true)] {
            assert_eq!(read(both, [Reply::Number(replicas), list(own)]), enough);
        }
        for proof in [wait, both] {
            assert!(!read(proof, []));
            assert!(!read(proof, [Reply::Nothing]));
            assert!(!read(proof, [Reply::Error("ERR".to_owned())]));
        }
        assert!(!read(both, [Reply::Number(1)]));
    }

    #[test]
    fn half_of_the_replicas_must_confirm() {
        let suffices = |own: u32, all: u32| {
            let proof = Proof {
                replicas: own,
                may_fail_over: true,
                ..Proof::default()
            };
            proof.suffices(all, "it").is_ok()
        };
        for (own, most) in [(0, 0), (1, 2), (2, 4), (3, 6)] {
            assert!((0..=most).all(|all| suffices(own, all)), "{own}");
            assert!(!suffices(own, most + 1), "{own}");
        }
        assert!(Proof::default().suffices(9, "it").is_ok());
    }
}
