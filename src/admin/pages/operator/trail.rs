//! `/orders`: the orders that the server keeps.

use askama::Template;
use hyper::StatusCode;

use super::{
    order::Described,
    refresh::{RefreshTokens, Told},
    visit::Visit,
};
use crate::admin::{
    Receipt, TrailEntry, TrailPage,
    pages::{
        api::Call,
        failure::Failure,
        form::Fields,
        frame::Frame,
        respond::{Page, html},
        shown::{Date, Name},
    },
};

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersPage {
    frame: Frame,
    /// What the list is limited to, byte for byte.
    subject: String,
    actor: String,
    orders: Vec<Kept>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage {
    frame: Frame,
    order: Kept,
    role: Name,
    before: Option<Date>,
    until: Option<Date>,
    kept: Option<Date>,
    receipt: Option<Receipt>,
    refresh_tokens: Option<RefreshTokens>,
    told: Vec<Told>,
}

/// An order that the server keeps.
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) when: Option<Date>,
    pub(super) actor: Name,
    pub(super) what: Described,
    pub(super) reason: Option<Name>,
    pub(super) outcome: &'static str,
    pub(super) is_revoked: bool,
}

/// A page of orders, from new to old.
pub(super) async fn orders(visit: &Visit<'_>, mut fields: Fields) -> Result<Page, Failure> {
    let [subject, actor, cursor] = ["subject", "actor", "cursor"].map(|it| fields.text(it));
    let (subject, actor, cursor) = (subject?, actor?, cursor?);
    let parameters = [
        ("subject", &subject),
        ("actor", &actor),
        ("cursor", &cursor),
    ];
    let parameters = parameters.into_iter();
    let given = parameters.filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let query = serde_urlencoded::to_string(given.collect::<Vec<_>>());
    let query = query.map_err(|_| Failure::internal())?;
    let page: TrailPage = visit
        .read(Call::get(&format!("/v1/revocations?{query}")))
        .await?;
    html(&OrdersPage {
        frame: visit.frame("orders"),
        subject: subject.unwrap_or_default(),
        actor: actor.unwrap_or_default(),
        orders: page.orders.into_iter().map(Kept::new).collect(),
        next: page.next,
    })
}

/// One order.
pub(super) async fn order(visit: &Visit<'_>, id: &str) -> Result<Page, Failure> {
    // Anything else is no identifier, and would be another path.
    if !id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    {
        return Err(Failure::not_found());
    }
    let mut entry: TrailEntry = visit
        .read(Call::get(&format!("/v1/revocations/{id}")))
        .await?;
    let receipt = entry.receipt.clone();
    let date = |date: Option<u64>| date.and_then(Date::new);
    html(&KeptPage {
        frame: visit.frame("orders"),
        role: Name(entry.role.clone()),
        before: date(entry.before),
        until: date(receipt.as_ref().and_then(|it| it.not_before)),
        kept: date(receipt.as_ref().and_then(|it| it.expires)),
        receipt,
        refresh_tokens: RefreshTokens::new(entry.refresh_tokens.as_deref()),
        told: std::mem::take(&mut entry.deliveries)
            .into_iter()
            .map(Told::new)
            .collect(),
        order: Kept::new(entry),
    })
}

/// The latest orders about a subject. `None` if the server keeps no orders.
pub(super) async fn latest(visit: &Visit<'_>, subject: &str) -> Result<Option<Vec<Kept>>, Failure> {
    let query = serde_urlencoded::to_string([("limit", "5"), ("subject", subject)]);
    let query = query.map_err(|_| Failure::internal())?;
    let page = visit
        .read::<TrailPage>(Call::get(&format!("/v1/revocations?{query}")))
        .await;
    match page {
        Ok(page) => Ok(Some(page.orders.into_iter().map(Kept::new).collect())),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whether the server keeps orders.
pub(super) async fn is_kept(visit: &Visit<'_>) -> Result<bool, Failure> {
    let page = visit
        .read::<TrailPage>(Call::get("/v1/revocations?limit=1"))
        .await;
    match page {
        Ok(_) => Ok(true),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => Ok(false),
        Err(failure) => Err(failure),
    }
}

impl Kept {
    fn new(entry: TrailEntry) -> Self {
        let outcome = match &*entry.outcome {
            "revoked" => "revoked",
            "failed" => "failed: order it again",
            _ => "unknown: order it again",
        };
        Self {
            what: Described::kept(&entry),
            is_revoked: entry.outcome == "revoked",
            id: entry.id,
            when: Date::new(entry.ordered),
            actor: Name(entry.actor),
            reason: entry.reason.map(Name),
            outcome,
        }
    }
}
