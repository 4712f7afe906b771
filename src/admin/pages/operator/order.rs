//! `/orders/new`, and `POST /orders`: the form of an order, and the order itself.

use askama::Template;
use hyper::StatusCode;

use super::{
    pending::{Done, PendingOrder},
    visit::Visit,
};
use crate::{
    admin::{
        OrderTarget, Receipt, RevocationOrder,
        pages::{
            api::Call,
            failure::Failure,
            form::Fields,
            frame::Frame,
            respond::{Page, html, see_other},
            shown::Name,
        },
        problem::Refusal,
    },
    log::NumericDate,
};

#[derive(Template)]
#[template(path = "order.html")]
struct NewOrder<'a> {
    frame: Frame,
    issuers: &'a [String],
}

/// The form for everything but a subject.
pub(super) fn form(visit: &Visit<'_>) -> Result<Page, Failure> {
    html(&NewOrder {
        frame: visit.frame("order"),
        issuers: visit.issuers(),
    })
}

/// Reads the order of a form.
pub(super) fn read(fields: &mut Fields) -> Result<RevocationOrder, Failure> {
    let kind = fields.text("kind")?.unwrap_or_default();
    let mut target = OrderTarget::default();
    if kind == "token" {
        target.token = Some(fields.token()?);
    } else {
        let name = fields.text("name")?;
        let name = name.ok_or(Refusal::BadRequest("the name is missing"))?;
        let member = match &*kind {
            "subject" => &mut target.subject,
            "client" => &mut target.client,
            "session" => &mut target.session,
            "grant" => &mut target.grant,
            "jti" => &mut target.jti,
            "key" => &mut target.key,
            "issuer" => &mut target.issuer,
            _ => return Err(Refusal::BadRequest("the form has no such target").into()),
        };
        *member = Some(name);
        if kind == "subject" {
            target.client = fields.text("client")?;
        }
    }
    Ok(RevocationOrder {
        target,
        issuer: fields.text("issuer")?,
        ..RevocationOrder::default()
    })
}

/// Sends an order that was confirmed.
pub(super) async fn place(visit: &Visit<'_>, mut fields: Fields) -> Result<Page, Failure> {
    let key = fields.text("order")?.unwrap_or_default();
    let reason = fields.text("reason")?;
    let pending = visit.session(|session| session.orders.find(&key).cloned())?;
    let Some(PendingOrder { order, done, .. }) = pending else {
        let detail = "this order was replaced by later ones: begin again";
        return Err(Failure::new(StatusCode::CONFLICT, detail));
    };
    let path = format!("/receipts/{key}");
    // The form was sent twice.
    if done.is_some() {
        return Ok(see_other(&path));
    }
    let order = RevocationOrder {
        reason: reason.clone(),
        ..order
    };
    let receipt: Receipt = visit.read(Call::post("/v1/revocations", &order)).await?;
    let done = Done {
        receipt,
        when: NumericDate::now().seconds(),
    };
    visit.session(|session| session.orders.done(&key, reason, done))?;
    Ok(see_other(&path))
}

/// What an order is about, in words.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) what: &'static str,
    /// Empty if the words say it.
    pub(super) name: Name,
    pub(super) client: Option<Name>,
    pub(super) issuer: Option<Name>,
}

impl Described {
    pub(super) fn new(order: &RevocationOrder) -> Self {
        let target = &order.target;
        let kinds = [
            ("all tokens of the subject", &target.subject),
            ("all tokens of the client", &target.client),
            ("the session", &target.session),
            ("the grant", &target.grant),
            ("the token with the identifier", &target.jti),
            ("all tokens that are bound to the key", &target.key),
            ("all tokens of the issuer", &target.issuer),
        ];
        let mut kinds = kinds.into_iter();
        let known = kinds.find_map(|(what, name)| name.clone().map(|name| (what, name)));
        let (what, name) = known.unwrap_or(("the token that you typed", String::new()));
        let with_client = target.subject.is_some();
        Self {
            what,
            name: Name(name),
            client: target.client.clone().filter(|_| with_client).map(Name),
            issuer: order.issuer.clone().map(Name),
        }
    }
}
