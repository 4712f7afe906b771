//! Tokens that are about to be stored.

use std::time::Duration;

use super::{
    Grant, IssuedToken, NewToken,
    random::random,
    row::{Digests, Row},
};
use crate::{log::NumericDate, token::Secret};

/// How tokens are generated and found.
#[derive(Clone)]
pub(super) struct TokenFactory {
    pub(super) digests: Digests,
    pub(super) longest_lifetime: Duration,
}

/// A token that was generated and is not stored yet.
pub(super) struct Generated {
    pub(super) token: Secret,
    pub(super) digest: [u8; 32],
    pub(super) new: NewToken,
}

impl TokenFactory {
    /// Generates the tokens, on the caller's thread.
    pub(super) fn generate(&self, tokens: Vec<NewToken>) -> Vec<Generated> {
        let generate = |mut new: NewToken| {
            new.lifetime = new.lifetime.min(self.longest_lifetime);
            let token = Secret::new(random());
            Generated {
                digest: self.digests.of(&token),
                token,
                new,
            }
        };
        tokens.into_iter().map(generate).collect()
    }
}

impl Generated {
    /// What is stored about the token.
    pub(super) fn row(&self, grant: &Grant, iat: NumericDate) -> Row {
        let mut grant = grant.clone();
        grant.scope = self.new.scope.clone().or(grant.scope);
        Row {
            usage: self.new.usage,
            used: false,
            iat,
            exp: iat + self.new.lifetime,
            grant,
            note: self.new.note.clone(),
        }
    }

    /// What the caller gets.
    pub(super) fn issued(self, iat: NumericDate) -> IssuedToken {
        IssuedToken {
            token: self.token,
            usage: self.new.usage,
            iat,
            exp: iat + self.new.lifetime,
        }
    }
}
