//! The tokens of a subject that were used here.

use hyper::StatusCode;

use super::visit::Visit;
use crate::admin::{
    SeenToken, SightingsPage,
    pages::{
        api::Call,
        failure::Failure,
        seen,
        shown::{Date, Name},
    },
};

/// A part of the tokens of a subject.
pub(super) struct Seen {
    pub(super) since: Option<Date>,
    pub(super) tokens: Vec<Token>,
    /// The cursor of the next part.
    pub(super) next: Option<String>,
}

pub(super) struct Token {
    pub(super) handle: String,
    pub(super) session: String,
    pub(super) is_live: bool,
    pub(super) verdict: &'static str,
    pub(super) client: Name,
    pub(super) browser: &'static str,
    pub(super) network: Name,
    pub(super) first_use: Option<Date>,
    pub(super) last_use: Option<Date>,
    pub(super) expires: Option<Date>,
}

/// `None` if the server notes no tokens.
pub(super) async fn sightings(
    visit: &Visit<'_>,
    subject: &str,
    issuer: Option<&str>,
    cursor: Option<&str>,
) -> Result<Option<Seen>, Failure> {
    let parameters = [
        ("subject", Some(subject)),
        ("issuer", issuer),
        ("cursor", cursor),
    ];
    let parameters = parameters.into_iter();
    let given = parameters.filter_map(|(name, value)| Some((name, value?)));
    let query = serde_urlencoded::to_string(given.collect::<Vec<_>>());
    let query = query.map_err(|_| Failure::internal())?;
    let call = Call::get(&format!("/v1/sightings?{query}"));
    match visit.read::<SightingsPage>(call).await {
        Ok(page) => Ok(Some(Seen {
            since: Date::new(page.seen_here_since),
            tokens: page.sightings.into_iter().map(Token::new).collect(),
            next: page.next,
        })),
        Err(failure) if failure.status == StatusCode::NOT_FOUND => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Token {
    fn new(token: SeenToken) -> Self {
        let verdict = match &*token.verdict {
            "live" => "live",
            "revoked" => "revoked",
            _ => "unknown",
        };
        Self {
            is_live: token.verdict == "live",
            handle: token.handle,
            session: token.session,
            verdict,
            client: Name(token.client),
            browser: seen::browser(&token.browser),
            network: Name(token.network.unwrap_or_else(|| "unknown".to_owned())),
            first_use: Date::new(token.first_use),
            last_use: Date::new(token.last_use),
            expires: token.expires.and_then(Date::new),
        }
    }
}
