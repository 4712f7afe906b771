//! `/orders/new`, and `POST /orders`: the form of an order, and the order itself.

use askama::Template;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue},
};
use sha2::{Digest as _, Sha256};

use super::{
    pending::{Done, PendingOrder},
    trail,
    visit::Visit,
};
use crate::{
    admin::{
        OrderTarget, Receipt, RevocationOrder, TrailEntry,
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

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

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
            "handle" => &mut target.handle,
            _ => return Err(Refusal::BadRequest("the form has no such target").into()),
        };
        *member = Some(name);
        match &*kind {
            "subject" => target.client = fields.text("client")?,
            "handle" => target.subject = fields.text("subject")?,
            _ => {}
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
    // The form was sent twice.
    if let Some(done) = done {
        return Ok(see_other(&path(&key, &done.receipt)));
    }
    let order = RevocationOrder {
        reason: reason.clone(),
        ..order
    };
    let mut call = Call::post("/v1/revocations", &order);
    if trail::is_kept(visit).await? {
        // A browser may send the form twice at the same time.
        call = call.field(IDEMPOTENCY_KEY, idempotency_key(&key, reason.as_deref())?);
    }
    let receipt: Receipt = visit.read(call).await?;
    let path = path(&key, &receipt);
    let done = Done {
        receipt,
        when: NumericDate::now().seconds(),
    };
    visit.session(|session| session.orders.done(&key, reason, done))?;
    Ok(see_other(&path))
}

/// The key of an order with this reason. After a failure the operator may change the reason, which makes
/// it another order.
fn idempotency_key(key: &str, reason: Option<&str>) -> Result<HeaderValue, Failure> {
    let digest = Sha256::new()
        .chain_update(key)
        .chain_update([0])
        .chain_update(reason.unwrap_or_default());
    let digest: [u8; 32] = digest.finalize().into();
    let text = URL_SAFE_NO_PAD.encode(digest);
    HeaderValue::try_from(text).map_err(|_| Failure::internal())
}

/// The page of an order that was carried out: that of the trail, or that of this session.
fn path(key: &str, receipt: &Receipt) -> String {
    match &receipt.id {
        Some(id) => format!("/orders/{id}"),
        None => format!("/receipts/{key}"),
    }
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
    /// `class` is what the record is about, which a handle does not say.
    pub(super) fn new(order: &RevocationOrder, class: &str) -> Self {
        let target = &order.target;
        let subject = of_subject(target.handle.is_some(), class);
        Self::of(
            [
                (subject, &target.subject),
                ("all tokens of the client", &target.client),
                ("the session", &target.session),
                ("the grant", &target.grant),
                ("the token with the identifier", &target.jti),
                ("all tokens that are bound to the key", &target.key),
                ("all tokens of the issuer", &target.issuer),
            ],
            "the token that you typed",
            target.client.as_ref().filter(|_| target.subject.is_some()),
            order.issuer.as_ref(),
        )
    }

    /// That of an order in the trail, which has fingerprints of the names that are secrets elsewhere.
    pub(super) fn kept(entry: &TrailEntry) -> Self {
        let target = &entry.target;
        let subject = of_subject(target.handle.is_some(), &entry.class);
        let is_token = target.token.is_some() || target.jti.is_some();
        let of_token = (target.jti.clone()).or_else(|| target.token.clone());
        Self::of(
            [
                ("the token with the fingerprint", &of_token),
                ("the session with the fingerprint", &target.session),
                ("the grant with the fingerprint", &target.grant),
                (subject, &target.subject),
                ("all tokens of the client", &target.client),
                ("all tokens that are bound to the key", &target.key),
                ("all tokens of the issuer", &target.issuer),
            ],
            "something that this version does not know",
            target
                .client
                .as_ref()
                .filter(|_| target.subject.is_some() && !is_token),
            entry.issuer.as_ref(),
        )
    }

    fn of(
        kinds: [(&'static str, &Option<String>); 7],
        otherwise: &'static str,
        client: Option<&String>,
        issuer: Option<&String>,
    ) -> Self {
        let mut kinds = kinds.into_iter();
        let known = kinds.find_map(|(what, name)| name.clone().map(|name| (what, name)));
        let (what, name) = known.unwrap_or((otherwise, String::new()));
        Self {
            what,
            name: Name(name),
            client: client.cloned().map(Name),
            issuer: issuer.cloned().map(Name),
        }
    }
}

/// What falls of a subject. An order by a handle is about one thing of it.
fn of_subject(has_handle: bool, class: &str) -> &'static str {
    match class {
        _ if !has_handle => "all tokens of the subject",
        "session" => "one session of the subject",
        "grant" => "one grant of the subject",
        _ => "one token of the subject",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reason_has_another_key() {
        let key = |order, reason| idempotency_key(order, reason).unwrap();
        assert_eq!(key("a", Some("lost")), key("a", Some("lost")));
        assert_ne!(key("a", Some("lost")), key("a", Some("stolen")));
        assert_ne!(key("a", Some("lost")), key("a", None));
        assert_ne!(key("a", None), key("b", None));
    }
}
