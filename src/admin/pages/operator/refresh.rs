//! What becomes of the refresh tokens that live at the issuer, in words.

use crate::admin::{
    TrailDelivery,
    pages::shown::{Date, Name},
};

/// The state of the refresh tokens that an order does not reach by itself.
pub(super) struct RefreshTokens {
    pub(super) words: &'static str,
    pub(super) is_good: bool,
}

impl RefreshTokens {
    /// `None` if the record covers what they mint.
    pub(super) fn new(state: Option<&str>) -> Option<Self> {
        let (words, is_good) = match state? {
            "untouched" => (
                "live on, because the issuer was not told: revoke them there as well",
                false,
            ),
            "pending" => ("live until the issuer is told, which is tried again", false),
            "ended" => ("have ended at the issuer", true),
            "failed" => (
                "live on, because the issuer could not be told: revoke them there",
                false,
            ),
            _ => ("are in a state that this version does not know", false),
        };
        Some(Self { words, is_good })
    }
}

/// What an issuer was told of an order.
pub(super) struct Told {
    pub(super) issuer: Name,
    pub(super) state: &'static str,
    pub(super) attempts: u32,
    pub(super) failure: Option<Name>,
    pub(super) next: Option<Date>,
}

impl Told {
    pub(super) fn new(delivery: TrailDelivery) -> Self {
        Self {
            issuer: Name(delivery.issuer),
            state: match &*delivery.state {
                "ended" => "told",
                "failed" => "could not be told",
                _ => "not told yet",
            },
            attempts: delivery.attempts,
            failure: delivery
                .failure
                .map(|failure| Name(failure.replace('_', " "))),
            next: delivery.next.and_then(Date::new),
        }
    }
}
