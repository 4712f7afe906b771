//! `/subjects`: what is known of a subject, and the orders about it.

use askama::Template;

use super::{
    sightings::{Seen, sightings},
    trail::{self, Kept},
    visit::Visit,
};
use crate::admin::pages::{
    failure::Failure,
    form::Fields,
    frame::Frame,
    respond::{Page, html, see_other},
    shown::Name,
};

#[derive(Template)]
#[template(path = "subject.html")]
struct SubjectPage {
    frame: Frame,
    /// For the forms, byte for byte.
    subject: String,
    issuer: Option<String>,
    name: Name,
    issuer_name: Option<Name>,
    /// `None` if the server notes no tokens.
    seen: Option<Seen>,
    /// `None` if the server keeps no orders.
    latest: Option<Vec<Kept>>,
}

pub(super) async fn subject(visit: &Visit<'_>, mut fields: Fields) -> Result<Page, Failure> {
    let Some(subject) = fields.text("subject")? else {
        return Ok(see_other("/"));
    };
    let issuer = fields.text("issuer")?;
    let cursor = fields.text("cursor")?;
    let seen = sightings(visit, &subject, issuer.as_deref(), cursor.as_deref()).await?;
    let latest = trail::latest(visit, &subject).await?;
    html(&SubjectPage {
        seen,
        latest,
        frame: visit.frame("home"),
        name: Name(subject.clone()),
        issuer_name: issuer.clone().map(Name),
        subject,
        issuer,
    })
}
