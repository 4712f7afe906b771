//! What an event says of an order.

use std::error::Error as StdError;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tracing::field::{DebugValue, debug};

use super::{AdminRequest, Target};
use crate::log::{LogError, NumericDate, Position, SelectorClass};

/// So much of what an operator typed is in the event.
const LONGEST: usize = 128;

/// Whom an order is about. A grant's name and a session's are left out, as is the digest of a
/// token: there are applications whose session cookie is the `sid`, and whose code is the grant.
#[derive(Default)]
struct Names<'a> {
    sub: Option<&'a str>,
    client_id: Option<&'a str>,
    iss: Option<&'a str>,
    jti: Option<&'a str>,
    key: Option<String>,
}

/// Tells what became of an order.
pub(super) fn order(
    order: &AdminRequest,
    class: SelectorClass,
    outcome: &'static str,
    position: Option<Position>,
    error: Option<&LogError>,
) {
    let names = Names::of(&order.target);
    // Levels are fixed where an event stands, so the event stands here once for each.
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                target: "tower_revocation",
                outcome,
                class = class.as_str(),
                sub = cut(names.sub),
                client_id = cut(names.client_id),
                iss = cut(names.iss),
                jti = cut(names.jti),
                key = names.key,
                tenant = cut(order.tenant.as_deref()),
                reason = cut(order.reason.as_deref()),
                actor = cut(order.actor.as_deref()),
                before = order.before.map(NumericDate::seconds),
                epoch = position.map(|position| position.epoch),
                sequence = position.map(|position| position.sequence),
                cause = error.map(|error| tracing::field::display(causes(error))),
                "administrative revocation"
            )
        };
    }
    match outcome {
        "revoked" => event!(info),
        "cancelled" => event!(warn),
        _ => event!(error),
    }
}

impl<'a> Names<'a> {
    fn of(target: &'a Target) -> Self {
        let mut names = Self::default();
        match target {
            Target::Token { issuer, jti } => {
                names.iss = Some(issuer);
                names.jti = Some(jti);
            }
            Target::OpaqueToken(_) | Target::Grant(_) | Target::Session(_) => {}
            Target::Subject(subject) => names.sub = Some(subject),
            Target::Client(client_id) => names.client_id = Some(client_id),
            Target::SubjectAndClient { subject, client_id } => {
                names.sub = Some(subject);
                names.client_id = Some(client_id);
            }
            Target::Key(thumbprint) => names.key = Some(URL_SAFE_NO_PAD.encode(thumbprint)),
            Target::Issuer(issuer) => names.iss = Some(issuer),
        }
        names
    }
}

/// The beginning of a text, escaped.
fn cut(text: Option<&str>) -> Option<DebugValue<String>> {
    text.map(|text| debug(text.chars().take(LONGEST).collect()))
}

fn causes(error: &LogError) -> String {
    let mut causes = error.to_string();
    let mut link = error.source();
    while let Some(cause) = link {
        causes = format!("{causes}: {cause}");
        link = cause.source();
    }
    // Whatever a disk or a network says, one event is one line.
    causes.replace(char::is_control, "?")
}
