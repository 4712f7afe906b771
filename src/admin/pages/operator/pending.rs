//! Orders between their confirmation and their receipt.

use std::collections::VecDeque;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::admin::{Receipt, RevocationOrder};

/// Of one session.
const MAX: usize = 8;

/// The latest orders of a session. What was confirmed stays in this process, so that the form with
/// which the operator agrees cannot name something else, and contains no token.
#[derive(Default)]
pub(in super::super) struct PendingOrders(VecDeque<PendingOrder>);

/// An order that the operator sees before it is sent.
#[derive(Clone, Debug)]
pub(super) struct PendingOrder {
    /// Names it in forms, and at the service, which carries it out once.
    pub(super) key: String,
    pub(super) order: RevocationOrder,
    pub(super) done: Option<Done>,
}

/// An order that was carried out.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) receipt: Receipt,
    /// In seconds since 1970.
    pub(super) when: u64,
}

impl PendingOrders {
    /// Adds an order and forgets the oldest of too many.
    pub(super) fn add(&mut self, order: PendingOrder) {
        while self.0.len() >= MAX {
            self.0.pop_front();
        }
        self.0.push_back(order);
    }

    pub(super) fn find(&self, key: &str) -> Option<&PendingOrder> {
        self.0.iter().find(|order| order.key == key)
    }

    /// Keeps the receipt of an order, without a token in it.
    pub(super) fn done(&mut self, key: &str, reason: Option<String>, done: Done) {
        if let Some(pending) = self.0.iter_mut().find(|order| order.key == key) {
            pending.order.reason = reason;
            if let Some(token) = &mut pending.order.target.token {
                *token = crate::Secret::new("");
            }
            pending.done = Some(done);
        }
    }
}

impl PendingOrder {
    /// # Errors
    ///
    /// Fails if the system has no random numbers.
    pub(super) fn new(order: RevocationOrder) -> Result<Self, getrandom::Error> {
        let mut key = [0; 16];
        getrandom::fill(&mut key)?;
        Ok(Self {
            key: URL_SAFE_NO_PAD.encode(key),
            order,
            done: None,
        })
    }
}
