//! `/`: the search, and a summary of the status.

use askama::Template;

use super::visit::Visit;
use crate::admin::{
    Status,
    pages::{
        api::Call,
        failure::Failure,
        frame::Frame,
        respond::{Page, html},
    },
};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: Frame,
    issuers: &'a [String],
    status: Status,
}

pub(super) async fn home(visit: &Visit<'_>) -> Result<Page, Failure> {
    let status = visit.read(Call::get("/v1/status")).await?;
    html(&Home {
        frame: visit.frame("home"),
        issuers: visit.issuers(),
        status,
    })
}
