//! What has been heard of every token, and whether the next answer agrees with it.

use std::collections::BTreeMap;

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
    /// Its revocation was answered 200, or it was refused once.
    Dead,
}

#[derive(Default)]
pub(crate) struct Ledger {
    fates: BTreeMap<Token, Fate>,
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
        self.fates.get(&token) == Some(&Fate::Dead)
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
                self.fates.insert(token, Fate::Dead);
            }
            // It is not known to be revoked. As long as this process lives, it may yet be.
            503 => {}
            _ => panic!("the revocation of {token} was answered {status}"),
        }
    }

    /// The process is dead.
    pub(crate) fn killed(&mut self) {
        for fate in self.fates.values_mut() {
            if *fate == Fate::Revoking {
                *fate = Fate::Open;
            }
        }
    }

    /// How it was answered, and whether the index was ready before, and after.
    pub(crate) fn asked(&mut self, token: Token, status: u16, ready: [bool; 2]) {
        let fate = self.fates.get_mut(&token).expect("no other is asked for");
        let [before, after] = ready;
        match (status, *fate) {
            (503, _) => assert!(!before, "{token} is unknown to an index that was ready"),
            (200, _) if !after => panic!("{token} was live before the index was ready"),
            (200, Fate::Dead) => panic!("{token} came to life"),
            (200, Fate::Live | Fate::Revoking) | (401, Fate::Dead) => {}
            (200, Fate::Open) => {
                // Nobody revokes it any more, but it may expire.
                if token.kind != Kind::Short {
                    *fate = Fate::Live;
                    self.unanswered_and_lost += 1;
                }
            }
            (401, Fate::Live) => panic!("{token} was refused, and nobody has revoked it"),
            // Before the snapshot is in, a record that is known holds already.
            (401, Fate::Revoking | Fate::Open) => {
                if *fate == Fate::Open && token.kind != Kind::Short {
                    self.unanswered_but_revoked += 1;
                }
                *fate = Fate::Dead;
            }
            _ => panic!("{token} was answered {status}"),
        }
    }
}
