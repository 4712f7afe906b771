//! One process, from its start to its kill.

use std::time::{Duration, Instant};

use super::{
    life::Life,
    process::{Process, Said},
    token::{Kind, Token},
};

/// The number of revocations in flight.
const CALLERS: usize = 8;
/// The time after which the child counts as hanging.
const HANGS: Duration = Duration::from_secs(60);

pub(crate) struct Round<'l> {
    life: &'l mut Life,
    process: Process,
    /// The number of pending checks.
    asking: usize,
    revoking: usize,
    ready: bool,
    sweeping: bool,
}

impl<'l> Round<'l> {
    pub(crate) fn new(life: &'l mut Life, process: Process) -> Self {
        Self {
            life,
            process,
            asking: 0,
            revoking: 0,
            ready: false,
            sweeping: false,
        }
    }

    pub(crate) fn life(&mut self) -> &mut Life {
        self.life
    }

    /// Waits until the index is ready. Returns how long it took.
    pub(crate) fn until_ready(&mut self) -> Duration {
        let begun = Instant::now();
        self.start(begun + HANGS);
        assert!(self.ready, "the index does not become ready");
        begun.elapsed()
    }

    pub(crate) fn start_for(&mut self, time: Duration) {
        self.start(Instant::now() + time);
    }

    /// Sends checks and revocations from the first moment: the log may be open before the snapshot
    /// is complete.
    fn start(&mut self, end: Instant) {
        let tokens = self.life.ledger.tokens();
        let first = self.life.another(Kind::Alone);
        self.life.ledger.revoking(first);
        while !self.ready && Instant::now() < end {
            for _ in 0..4 {
                let token = tokens[self.life.dice.below(tokens.len())];
                self.ask(token);
            }
            if self.revoking == 0 && !self.life.ledger.is_dead(first) {
                self.process.revoke(first.to_revoke());
                self.revoking += 1;
            }
            while self.asking > 0 && self.hear(end) {}
        }
    }

    /// Checks all tokens.
    pub(crate) fn ask_for_all(&mut self) {
        for token in self.life.ledger.tokens() {
            self.ask(token);
        }
        let end = Instant::now() + HANGS;
        while self.asking > 0 {
            assert!(self.hear(end), "the child does not respond");
        }
    }

    /// Keeps as many revocations in flight as there are callers.
    pub(crate) fn revoke_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            while self.revoking < CALLERS {
                self.revoke_another();
            }
            self.hear(end);
        }
    }

    pub(crate) fn sweep(&mut self) {
        self.process.sweep();
    }

    pub(crate) fn kill(mut self) {
        self.process.kill();
        // The lines that it printed before the kill count.
        while let Some(said) = self.process.last_words() {
            self.take_in(said);
        }
        let seen = &mut self.life.seen;
        seen.killed_before_ready += usize::from(!self.ready);
        seen.killed_between_append_and_answer += usize::from(self.revoking > 0);
        seen.killed_in_a_sweep += usize::from(self.sweeping);
        self.life.ledger.killed();
    }

    fn ask(&mut self, token: Token) {
        self.life.ledger.asking(token);
        self.process.ask(token);
        self.asking += 1;
    }

    fn revoke_another(&mut self) {
        let kinds = [Kind::Alone, Kind::Short, Kind::Granted];
        let kind = kinds[self.life.dice.below(kinds.len())];
        let token = self.life.another(kind);
        self.life.ledger.revoking(token);
        self.process.revoke(token.to_revoke());
        self.revoking += 1;
    }

    /// Handles the next line, if there is one until then.
    fn hear(&mut self, until: Instant) -> bool {
        let said = self.process.hear(until);
        let heard = said.is_some();
        if let Some(said) = said {
            self.take_in(said);
        }
        heard
    }

    fn take_in(&mut self, said: Said) {
        let Life { ledger, seen, .. } = self.life;
        match said {
            Said::Asked {
                token,
                status,
                ready,
            } => {
                self.asking -= 1;
                self.ready |= ready[1];
                seen.asked += 1;
                seen.unknown_before_ready += usize::from(status == 503);
                ledger.asked(token, status, ready);
            }
            Said::Revoked { token, status } => {
                self.revoking -= 1;
                ledger.revoked(token.to_ask(), status);
            }
            Said::Sweeping => self.sweeping = true,
            Said::Swept(records) => {
                self.sweeping = false;
                seen.records_swept += records;
            }
        }
    }
}
