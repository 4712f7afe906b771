//! `orders`: who ordered what, when and why.

use std::process::ExitCode;

use hyper::Method;
use tower_revocation::admin::{TrailEntry, TrailPage, TrailTarget};

use crate::{args::Orders, config::one_line, failure::Failure, out};

/// How many orders are asked for at once. An order is a few KiB at most.
const PAGE: usize = 100;

pub(super) async fn run(orders: Orders) -> Result<ExitCode, Failure> {
    let mut left = orders.limit;
    let mut cursor = None;
    while left > 0 {
        let path = path(&orders, left.min(PAGE), cursor.as_deref())?;
        let answer = orders.running.ask(Method::GET, &path, None).await?;
        if !answer.status.is_success() {
            return Ok(answer.print());
        }
        let page: TrailPage = serde_json::from_str(&answer.text)
            .map_err(|_| Failure::Start("the answer is not a page of orders".into()))?;
        left = left.saturating_sub(page.orders.len());
        for order in &page.orders {
            out::line(&if orders.json {
                serde_json::to_string(order).unwrap_or_default()
            } else {
                line(order)
            });
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(orders: &Orders, limit: usize, cursor: Option<&str>) -> Result<String, Failure> {
    let limit = limit.to_string();
    let parameters = [
        ("limit", Some(&*limit)),
        ("cursor", cursor),
        ("subject", orders.subject.as_deref()),
        ("actor", orders.actor.as_deref()),
    ];
    let parameters = parameters.into_iter();
    let given: Vec<_> = parameters
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let query = serde_urlencoded::to_string(given);
    let query = query.map_err(|error| Failure::Start(error.to_string()))?;
    Ok(format!("/v1/revocations?{query}"))
}

/// An order on one line. Names that operators chose cannot add lines to it, or control the terminal.
fn line(order: &TrailEntry) -> String {
    let TrailEntry {
        id,
        ordered,
        actor,
        role,
        outcome,
        ..
    } = order;
    let target = target(&order.target);
    let mut line = format!(
        "{}  {outcome:7}  {target}  by {actor} ({role})  {id}",
        utc(*ordered)
    );
    if let Some(reason) = &order.reason {
        line.push_str("  ");
        line.push_str(reason);
    }
    one_line(&line)
}

fn target(target: &TrailTarget) -> String {
    let names = [
        ("subject", &target.subject),
        ("client", &target.client),
        ("session", &target.session),
        ("grant", &target.grant),
        ("jti", &target.jti),
        ("token", &target.token),
        ("key", &target.key),
        ("issuer", &target.issuer),
    ];
    let names = names.into_iter();
    let given = names.filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
    given.collect::<Vec<_>>().join(", ")
}

/// Seconds since 1970 as in RFC 3339.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut day) = (1970, days);
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
    }
    let february = days_of(year) - 337;
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let day = day + 1;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn days_of(year: u64) -> u64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    365 + u64::from(is_leap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_is_that_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds), expected);
        }
    }

    #[test]
    fn name_cannot_add_a_line() {
        let mut order = TrailEntry::default();
        order.target.subject = Some("a\nb\u{1b}[2J".into());
        order.reason = Some("c\rd".into());
        let line = line(&order);
        assert!(!line.chars().any(char::is_control), "{line}");
        assert!(line.contains("subject a\\nb"), "{line}");
    }
}
