//! `POST /orders/confirm`: what an order would do.

use askama::Template;

use super::{
    order::{self, Described},
    pending::PendingOrder,
    visit::Visit,
};
use crate::admin::{
    DryRun,
    pages::{
        api::Call,
        failure::Failure,
        form::Fields,
        frame::Frame,
        respond::{Page, html},
    },
};

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm {
    frame: Frame,
    order: Described,
    key: String,
    dry_run: DryRun,
    role: &'static str,
}

pub(super) async fn confirm(visit: &Visit<'_>, mut fields: Fields) -> Result<Page, Failure> {
    let order = order::read(&mut fields)?;
    let call = Call::post("/v1/revocations?dry_run=true", &order);
    let dry_run: DryRun = visit.read(call).await?;
    let pending = PendingOrder::new(order)?;
    let page = Confirm {
        frame: visit.frame("order"),
        order: Described::new(&pending.order, &dry_run.class),
        key: pending.key.clone(),
        dry_run,
        role: visit.caller.role().as_str(),
    };
    visit.session(|session| session.orders.add(pending))?;
    html(&page)
}
