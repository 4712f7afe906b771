//! `/status`: the log, the index, what the program adds, and the last 24 hours.

use askama::Template;
use serde_json::{Map, Value};

use super::visit::Visit;
use crate::{
    admin::{
        Status,
        pages::{
            api::Call,
            failure::Failure,
            frame::Frame,
            picture::Picture,
            respond::{Page, html},
            shown::Name,
        },
    },
    log::NumericDate,
};

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    frame: Frame,
    status: Status,
    details: Vec<(Name, Name)>,
    picture: Option<Picture>,
}

pub(super) async fn status(visit: &Visit<'_>) -> Result<Page, Failure> {
    let status: Status = visit.read(Call::get("/v1/status")).await?;
    let recent = visit.pages.shared.recent.as_ref();
    let picture = recent.map(|recent| Picture::new(&recent.counts(NumericDate::now())));
    html(&StatusPage {
        frame: visit.frame("status"),
        details: rows(&status.details),
        status,
        picture,
    })
}

/// The members of a document, those of inner documents with both names.
fn rows(details: &Map<String, Value>) -> Vec<(Name, Name)> {
    let mut rows = Vec::new();
    for (name, value) in details {
        add(name, value, &mut rows);
    }
    rows
}

fn add(name: &str, value: &Value, rows: &mut Vec<(Name, Name)>) {
    let text = match value {
        Value::Object(members) => {
            for (inner, value) in members {
                add(&format!("{name} {inner}"), value, rows);
            }
            return;
        }
        Value::Array(items) => {
            if items.is_empty() {
                rows.push((label(name), Name("none".to_owned())));
            }
            for item in items {
                add(name, item, rows);
            }
            return;
        }
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    rows.push((label(name), Name(text)));
}

fn label(name: &str) -> Name {
    Name(name.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn inner_members_have_both_names() {
        let Value::Object(details) = json!({
            "version": "1",
            "readiness": { "ready": true, "reasons": [], "warnings": [{ "part": "a_b" }] },
        }) else {
            unreachable!()
        };
        let shown: Vec<_> = rows(&details)
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(
            shown,
            [
                "readiness ready: yes",
                "readiness reasons: none",
                "readiness warnings part: a_b",
                "version: 1"
            ]
        );
    }
}
