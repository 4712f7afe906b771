//! The expected state of every token, and a check of each response against it.

use std::collections::{BTreeMap, VecDeque};

use super::token::{Kind, Token};

/// The state of a token that the test checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Not revoked, or the revocation was lost with the process.
    Live,
    /// The revocation is in progress: live and revoked are both right.
    Revoking,
    /// The process was killed meanwhile: both are right, until the first response.
    Open,
    /// The revocation returned 200.
    Revoked,
    /// The token was refused.
    Refused,
}

#[derive(Default)]
pub(crate) struct Ledger {
    fates: BTreeMap<Token, Fate>,
    /// The pending checks, in order, with the state when they were sent.
    questions: VecDeque<(Token, Fate)>,
    pub(crate) answered: usize,
    /// The results of the unconfirmed revocations, as the next process shows them.
    pub(crate) unanswered_but_revoked: usize,
    pub(crate) unanswered_and_lost: usize,
}

impl Ledger {
    pub(crate) fn tokens(&self) -> Vec<Token> {
        self.fates.keys().copied().collect()
    }

    pub(crate) fn is_dead(&self, token: Token) -> bool {
        matches!(self.fates.get(&token), Some(Fate::Revoked | Fate::Refused))
    }

    /// Adds a token that the test does not revoke.
    pub(crate) fn keep(&mut self, token: Token) {
        self.fates.insert(token, Fate::Live);
    }

    pub(crate) fn revoking(&mut self, token: Token) {
        self.fates.insert(token, Fate::Revoking);
    }

    /// Records the response to a revocation.
    pub(crate) fn revoked(&mut self, token: Token, status: u16) {
        match status {
            200 => {
                self.answered += 1;
                let fate = self
                    .fates
                    .get_mut(&token)
                    .expect("the test has sent the revocation");
                if *fate != Fate::Refused {
                    *fate = Fate::Revoked;
                }
            }
            // Not confirmed. It may still happen while this process runs.
            503 => {}
            _ => panic!("the revocation of {token} returned {status}"),
        }
    }

    /// Records that the process was killed.
    pub(crate) fn killed(&mut self) {
        self.questions.clear();
        for fate in self.fates.values_mut() {
            if *fate == Fate::Revoking {
                *fate = Fate::Open;
            }
        }
    }

    /// Records that a check was sent. The process handles checks in order.
    pub(crate) fn asking(&mut self, token: Token) {
        let fate = self.fates[&token];
        self.questions.push_back((token, fate));
    }

    /// Records the response to a check, and whether the index was ready before and after.
    ///
    /// Another thread of the process handles revocations, so the 200 of a revocation may arrive
    /// before the 200 of an earlier check. It rules out only 200 to checks that were sent after it
    /// arrived. A refusal rules out every later 200, because one thread handles all checks.
    pub(crate) fn asked(&mut self, token: Token, status: u16, ready: [bool; 2]) {
        let (expected, when_sent) = self.questions.pop_front().expect("a pending check");
        assert_eq!(
            token, expected,
            "responses must come in the order of the checks"
        );
        let fate = self.fates.get_mut(&token).expect("a known token");
        let [before, after] = ready;
        match (status, *fate) {
            (503, _) => assert!(!before, "503 for {token} although the index was ready"),
            (200, _) if !after => panic!("{token} was live before the index was ready"),
            (200, Fate::Refused) => panic!("{token} was refused and is live again"),
            (200, Fate::Revoked) => assert_ne!(when_sent, Fate::Revoked, "{token} is live again"),
            (200, Fate::Live | Fate::Revoking) => {}
            (200, Fate::Open) => {
                // It cannot be revoked any more, but it may expire.
                if token.kind != Kind::Short {
                    *fate = Fate::Live;
                    self.unanswered_and_lost += 1;
                }
            }
            (401, Fate::Live) => panic!("{token} was refused without a revocation"),
            // A known record holds even before the snapshot is complete.
            (401, Fate::Revoking | Fate::Open | Fate::Revoked | Fate::Refused) => {
                if *fate == Fate::Open && token.kind != Kind::Short {
                    self.unanswered_but_revoked += 1;
                }
                *fate = Fate::Refused;
            }
            _ => panic!("{token}: {status}"),
        }
    }
}

#[test]
fn request_that_started_before_a_revocation_may_succeed_after_it() {
    let (token, mut ledger) = (Token::new(Kind::Alone, 1), Ledger::default());
    ledger.revoking(token);
    ledger.asking(token);
    ledger.revoked(token, 200);
    ledger.asked(token, 200, [true; 2]);
    // This check is sent after the response.
    ledger.asking(token);
    ledger.asked(token, 401, [true; 2]);
}

#[test]
#[should_panic(expected = "is live again")]
fn token_that_is_live_after_its_confirmed_revocation_is_found() {
    let (token, mut ledger) = (Token::new(Kind::Alone, 1), Ledger::default());
    ledger.revoking(token);
    ledger.revoked(token, 200);
    ledger.asking(token);
    ledger.asked(token, 200, [true; 2]);
}

#[test]
#[should_panic(expected = "is live again")]
fn token_that_is_live_after_it_was_refused_is_found() {
    let (token, mut ledger) = (Token::new(Kind::Alone, 1), Ledger::default());
    ledger.revoking(token);
    ledger.asking(token);
    ledger.asking(token);
    ledger.asked(token, 401, [true; 2]);
    ledger.revoked(token, 200);
    ledger.asked(token, 200, [true; 2]);
}

#[test]
#[should_panic(expected = "is live again")]
fn token_whose_confirmed_revocation_is_lost_in_a_kill_is_found() {
    let (token, mut ledger) = (Token::new(Kind::Granted, 1), Ledger::default());
    ledger.revoking(token);
    ledger.revoked(token, 200);
    ledger.killed();
    ledger.asking(token);
    ledger.asked(token, 200, [true; 2]);
}
