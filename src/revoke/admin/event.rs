//! The event of an administrative request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tracing::field::{DebugValue, debug};

use super::{AdminRequest, Target};
use crate::{
    log::{LogError, NumericDate, Position, SelectorClass},
    observe::{Causes, TARGET, truncated},
};

/// The names of a target. The names of grants and sessions are left out, and so is the digest of a
/// token: some applications use the `sid` as session cookie, or the authorization code as the name
/// of the grant.
#[derive(Default)]
struct Names<'a> {
    sub: Option<&'a str>,
    client_id: Option<&'a str>,
    iss: Option<&'a str>,
    jti: Option<&'a str>,
    key: Option<String>,
}

/// Emits the event with the outcome of a request.
pub(super) fn emit(
    request: &AdminRequest,
    class: SelectorClass,
    outcome: &'static str,
    position: Option<Position>,
    error: Option<&LogError>,
) {
    let names = Names::of(&request.target);
    // The level of an event is fixed at compile time, so there is one event for each level.
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                target: TARGET,
                outcome,
                class = class.as_str(),
                sub = escaped(names.sub),
                client_id = escaped(names.client_id),
                iss = escaped(names.iss),
                jti = escaped(names.jti),
                key = names.key,
                tenant = escaped(request.tenant.as_deref()),
                reason = escaped(request.reason.as_deref()),
                actor = escaped(request.actor.as_deref()),
                before = request.before.map(NumericDate::seconds),
                epoch = position.map(|position| position.epoch),
                sequence = position.map(|position| position.sequence),
                cause = error.map(|error| tracing::field::display(Causes(error))),
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
            Target::OpaqueToken(_)
            | Target::Grant(_)
            | Target::Session(_)
            | Target::Selected(_) => {}
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

/// Truncates a name and escapes it by its `Debug` output.
fn escaped(name: Option<&str>) -> Option<DebugValue<String>> {
    name.map(|name| debug(truncated(name)))
}
