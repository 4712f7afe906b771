//! What has been heard of every token, and whether the next answer agrees with it.

use std::collections::{BTreeMap, VecDeque};

use super::token::{Kind, Token};

/// What is known of a token, named as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Nobody has revoked it, or the revocation died with the process.
    Live,
    /// It is being revoked: either answer is right.
    Revoking,
    /// The process died meanwhile: either answer is right, until the first.
    Open,
    /// Its revocation was answered 200.
    Revoked,
    /// It was refused.
    Refused,
}

#[derive(Default)]
pub(crate) struct Ledger {
    fates: BTreeMap<Token, Fate>,
    /// The questions that wait for an answer, in order, with what was known when they were sent.
    questions: VecDeque<(Token, Fate)>,
    pub(crate) answered: usize,
    /// What became of the others, as far as the next process could tell.
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

    /// A token that nobody will revoke.
    pub(crate) fn keep(&mut self, token: Token) {
        self.fates.insert(token, Fate::Live);
    }

    pub(crate) fn revoking(&mut self, token: Token) {
        self.fates.insert(token, Fate::Revoking);
    }

    /// How its revocation was answered.
    pub(crate) fn revoked(&mut self, token: Token, status: u16) {
        match status {
            200 => {
                self.answered += 1;
                let fate = self.fates.get_mut(&token).expect("it was revoked");
                if *fate != Fate::Refused {
                    *fate = Fate::Revoked;
                }
            }
            // It is not known to be revoked. As long as this process lives, it may yet be.
            503 => {}
            _ => panic!("the revocation of {token} was answered {status}"),
        }
    }

    /// The process is dead.
    pub(crate) fn killed(&mut self) {
        self.questions.clear();
        for fate in self.fates.values_mut() {
            if *fate == Fate::Revoking {
                *fate = Fate::Open;
            }
        }
    }

    /// A question about a token is sent. The process answers one after the other.
    pub(crate) fn asking(&mut self, token: Token) {
        let fate = self.fates[&token];
        self.questions.push_back((token, fate));
    }

    /// How it was answered, and whether the index was ready before, and after.
    ///
    /// Another thread of the process answers revocations, so a 200 to a revocation may be heard
    /// before a 200 to a question that was judged earlier. It rules out only the questions that
    /// were sent after it was heard. A refusal rules out every later answer: one thread gives both.
    pub(crate) fn asked(&mut self, token: Token, status: u16, ready: [bool; 2]) {
        let (expected, when_sent) = self.questions.pop_front().expect("a question");
        assert_eq!(token, expected, "answers come in the order of questions");
        let fate = self.fates.get_mut(&token).expect("no other is asked for");
        let [before, after] = ready;
        match (status, *fate) {
            (503, _) => assert!(!before, "{token} is unknown to an index that was ready"),
            (200, _) if !after => panic!("{token} was live before the index was ready"),
            (200, Fate::Refused) => panic!("{token} was refused and came to life"),
            (200, Fate::Revoked) => assert_ne!(when_sent, Fate::Revoked, "{token} came to life"),
            (200, Fate::Live | Fate::Revoking) => {}
            (200, Fate::Open) => {
                // Nobody revokes it any more, but it may expire.
                if token.kind != Kind::Short {
                    *fate = Fate::Live;
                    self.unanswered_and_lost += 1;
                }
            }
            (401, Fate::Live) => panic!("{token} was refused, and nobody has revoked it"),
            // Before the snapshot is in, a record that is known holds already.
            (401, Fate::Revoking | Fate::Open | Fate::Revoked | Fate::Refused) => {
                if *fate == Fate::Open && token.kind != Kind::Short {
                    self.unanswered_but_revoked += 1;
                }
                *fate = Fate::Refused;
            }
            _ => panic!("{token} was answered {status}"),
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
    // The next question comes after the answer.
    ledger.asking(token);
    ledger.asked(token, 401, [true; 2]);
}

#[test]
#[should_panic(expected = "came to life")]
fn token_that_is_live_after_its_confirmed_revocation_is_found() {
    let (token, mut ledger) = (Token::new(Kind::Alone, 1), Ledger::default());
    ledger.revoking(token);
    ledger.revoked(token, 200);
    ledger.asking(token);
    ledger.asked(token, 200, [true; 2]);
}

#[test]
#[should_panic(expected = "came to life")]
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
#[should_panic(expected = "came to life")]
fn token_whose_confirmed_revocation_is_lost_in_a_kill_is_found() {
    let (token, mut ledger) = (Token::new(Kind::Granted, 1), Ledger::default());
    ledger.revoking(token);
    ledger.revoked(token, 200);
    ledger.killed();
    ledger.asking(token);
    ledger.asked(token, 200, [true; 2]);
}
