//! `/tokens`: what is known of a token that one types.

use askama::Template;

use super::visit::Visit;
use crate::admin::{
    InspectedClaims, Inspection, InspectionOrder,
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
#[template(path = "token.html")]
struct Token {
    frame: Frame,
    found: Option<Found>,
}

struct Found {
    /// What it means, in words.
    verdict: &'static str,
    is_live: bool,
    reason: Option<String>,
    revoked_by: Option<String>,
    claims: Vec<(&'static str, Name)>,
    dates: Vec<(&'static str, Date)>,
    /// What can be revoked: the words, the kind of the form, and the name.
    orders: Vec<(&'static str, &'static str, String)>,
    issuer: Option<String>,
}

pub(super) fn form(visit: &Visit<'_>) -> Result<Page, Failure> {
    page(visit, None)
}

pub(super) async fn inspect(visit: &Visit<'_>, mut fields: Fields) -> Result<Page, Failure> {
    let order = InspectionOrder::new(fields.token()?);
    let inspection = visit.read(Call::post("/v1/tokens:inspect", &order)).await?;
    page(visit, Some(found(inspection)))
}

fn page(visit: &Visit<'_>, found: Option<Found>) -> Result<Page, Failure> {
    html(&Token {
        frame: visit.frame("token"),
        found,
    })
}

fn found(inspection: Inspection) -> Found {
    let verdict = match &*inspection.verdict {
        "live" => "The token is live.",
        "revoked" => "The token is revoked.",
        "expired" => "The token has expired.",
        "rotated" => "The token was replaced by a newer refresh token.",
        "not_yet" => "The token is not valid yet.",
        "invalid" => "This is no valid token of this server.",
        _ => "It is unknown whether the token is live, because the index is not fresh.",
    };
    let claims = inspection.claims.unwrap_or_default();
    Found {
        verdict,
        is_live: inspection.verdict == "live",
        reason: inspection.reason,
        revoked_by: inspection.revoked_by,
        dates: dates(&claims),
        orders: orders(&claims),
        issuer: claims.iss.clone(),
        claims: names(claims),
    }
}

fn names(claims: InspectedClaims) -> Vec<(&'static str, Name)> {
    let InspectedClaims {
        kind,
        iss,
        client_id,
        sub,
        aud,
        jti,
        grant,
        sid,
        scope,
        ..
    } = claims;
    let kind = match &*kind {
        "access_token" => "access token".to_owned(),
        "refresh_token" => "refresh token".to_owned(),
        _ => kind,
    };
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let claims = [
        ("Kind", some(kind)),
        ("Issuer", iss),
        ("Subject", sub),
        ("Client", some(client_id)),
        ("Audience", some(aud.join(", "))),
        ("Scope", scope),
        ("Session", sid),
        ("Grant", grant),
        ("Identifier", jti),
    ];
    let claims = claims.into_iter();
    claims
        .filter_map(|(label, value)| value.map(|value| (label, Name(value))))
        .collect()
}

fn dates(claims: &InspectedClaims) -> Vec<(&'static str, Date)> {
    let dates = [
        ("Issued", claims.iat),
        ("Valid from", claims.nbf),
        ("Expires", claims.exp),
    ];
    let dates = dates.into_iter();
    dates
        .filter_map(|(label, date)| Some((label, Date::new(date?)?)))
        .collect()
}

/// What the claims name. The token itself is not kept, so it is typed again to be revoked.
fn orders(claims: &InspectedClaims) -> Vec<(&'static str, &'static str, String)> {
    let orders = [
        ("Revoke its session", "session", &claims.sid),
        ("Revoke its grant", "grant", &claims.grant),
        ("Revoke this token alone", "jti", &claims.jti),
        ("Revoke all tokens of its subject", "subject", &claims.sub),
    ];
    let orders = orders.into_iter();
    orders
        .filter_map(|(label, kind, name)| name.clone().map(|name| (label, kind, name)))
        .collect()
}
