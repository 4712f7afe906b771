//! The origins whose apps may call an endpoint.

use hyper::{Uri, header::HeaderValue};

use super::problem::{Problem, Problems};

/// Reads origins as browsers send them.
pub(super) fn origins(
    key: &str,
    section: Option<Vec<String>>,
    found: &mut Problems,
) -> Vec<HeaderValue> {
    let origins = section.unwrap_or_default();
    let origins = origins.iter().enumerate().filter_map(|(number, origin)| {
        found.or_note(origin_of(origin).ok_or_else(|| {
            Problem::new(
                format!("{key}[{number}]"),
                "expected an origin, such as \"https://app.example.com\"",
            )
        }))
    });
    origins.collect()
}

fn origin_of(text: &str) -> Option<HeaderValue> {
    let uri: Uri = text.parse().ok()?;
    let is_origin = format!("{}://{}", uri.scheme_str()?, uri.authority()?) == text;
    is_origin.then(|| HeaderValue::from_str(text).ok())?
}
