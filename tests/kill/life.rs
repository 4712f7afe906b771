//! One log through many kills.

use std::{ops::AddAssign, time::Duration};

use tempfile::TempDir;

use super::{
    dice::Dice,
    ledger::Ledger,
    process::Process,
    round::Round,
    token::{Kind, Token},
};

/// The longest time between the check of all tokens and the kill.
const LOAD: Duration = Duration::from_millis(25);

/// The moment of a kill.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// While the log opens and the index reads its snapshot.
    Start,
    /// During appends.
    Append,
    /// During appends and a sweep.
    Sweep,
}

/// Counts of events, to check that the kills hit every moment.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) kills: usize,
    pub(crate) killed_before_ready: usize,
    pub(crate) killed_between_append_and_answer: usize,
    pub(crate) killed_in_a_sweep: usize,
    pub(crate) unknown_before_ready: usize,
    answered_revocations: usize,
    unanswered_but_revoked: usize,
    unanswered_and_lost: usize,
    pub(crate) records_swept: usize,
    pub(crate) asked: usize,
}

/// The log and its expected state.
pub(crate) struct Life {
    folder: TempDir,
    pub(crate) dice: Dice,
    pub(crate) ledger: Ledger,
    pub(crate) seen: Seen,
    tokens: u64,
    /// The duration of the last start that was not killed.
    start: Duration,
}

impl Life {
    pub(crate) fn new(dice: Dice) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            dice,
            ledger: Ledger::default(),
            seen: Seen::default(),
            tokens: 0,
            start: Duration::from_millis(20),
        }
    }

    pub(crate) fn run(mut self, kills: usize) -> Seen {
        for _ in 0..kills {
            self.round();
        }
        // A last check: what holds now held all the time.
        let mut round = self.begin();
        round.until_ready();
        round.ask_for_all();
        round.kill();
        Seen {
            kills,
            answered_revocations: self.ledger.answered,
            unanswered_but_revoked: self.ledger.unanswered_but_revoked,
            unanswered_and_lost: self.ledger.unanswered_and_lost,
            ..self.seen
        }
    }

    fn round(&mut self) {
        let moments = [Moment::Start, Moment::Append, Moment::Sweep];
        let moment = moments[self.dice.below(moments.len())];
        let (start, load) = (self.dice.within(self.start), self.dice.within(LOAD));
        let mut round = self.begin();
        if moment == Moment::Start {
            round.start_for(start);
        } else {
            let start = round.until_ready();
            round.ask_for_all();
            if moment == Moment::Sweep {
                round.sweep();
            }
            round.revoke_for(load);
            round.life().start = start;
        }
        round.kill();
    }

    /// Starts another process, and adds a token that the test does not revoke.
    fn begin(&mut self) -> Round<'_> {
        let token = self.another(Kind::Alone);
        self.ledger.keep(token);
        let process = Process::start(&self.folder.path().join("log.redb"));
        Round::new(self, process)
    }

    pub(crate) fn another(&mut self, kind: Kind) -> Token {
        self.tokens += 1;
        Token::new(kind, self.tokens)
    }
}

impl Seen {
    pub(crate) fn assert_every_moment_was_hit(&self) {
        for hit in [
            self.killed_before_ready,
            self.killed_between_append_and_answer,
            self.killed_in_a_sweep,
            self.unknown_before_ready,
            self.unanswered_but_revoked,
            self.records_swept,
        ] {
            assert!(hit > 0, "{self:?}");
        }
    }
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.killed_before_ready += other.killed_before_ready;
        self.killed_between_append_and_answer += other.killed_between_append_and_answer;
        self.killed_in_a_sweep += other.killed_in_a_sweep;
        self.unknown_before_ready += other.unknown_before_ready;
        self.answered_revocations += other.answered_revocations;
        self.unanswered_but_revoked += other.unanswered_but_revoked;
        self.unanswered_and_lost += other.unanswered_and_lost;
        self.records_swept += other.records_swept;
        self.asked += other.asked;
    }
}
