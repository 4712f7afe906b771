//! `/receipts/…`: an order that was carried out.

use askama::Template;

use super::{order::Described, refresh::RefreshTokens, visit::Visit};
use crate::admin::{
    Receipt,
    pages::{
        failure::Failure,
        frame::Frame,
        respond::{Page, html},
        shown::{Date, Name},
    },
};

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    frame: Frame,
    order: Described,
    reason: Option<Name>,
    when: Option<Date>,
    until: Option<Date>,
    kept: Option<Date>,
    receipt: Receipt,
    refresh_tokens: Option<RefreshTokens>,
}

pub(super) fn receipt(visit: &Visit<'_>, key: &str) -> Result<Page, Failure> {
    let pending = visit.session(|session| session.orders.find(key).cloned())?;
    let Some((pending, done)) = pending.and_then(|it| it.done.clone().map(|done| (it, done)))
    else {
        return Err(Failure::not_found());
    };
    html(&ReceiptPage {
        frame: visit.frame("order"),
        order: Described::new(&pending.order, &done.receipt.class),
        reason: pending.order.reason.map(Name),
        when: Date::new(done.when),
        until: done.receipt.not_before.and_then(Date::new),
        kept: done.receipt.expires.and_then(Date::new),
        refresh_tokens: RefreshTokens::new(done.receipt.refresh_tokens.as_deref()),
        receipt: done.receipt,
    })
}
