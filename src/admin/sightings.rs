//! `GET /v1/sightings`, and how many sightings an order would end.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::lock::Mutex;
use hyper::{Response, StatusCode, http::request::Parts};

use super::{
    AdminBody, Caller, DryRun, Role, SeenToken, SightingsPage,
    handle::HandlesOf,
    problem::Refusal,
    response::{RETRY_AFTER, json},
    service::Shared,
};
use crate::{
    enforce::Index,
    log::{NumericDate, RevocationLog},
    revoke::AdminRequest,
    sightings::{Sighting, Sightings},
};

/// The sightings, and a lock for counts: each looks at all of them.
#[derive(Clone)]
pub(super) struct Seen {
    sightings: Sightings,
    counting: Arc<Mutex<()>>,
}

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

impl Seen {
    pub(super) fn new(sightings: Sightings) -> Self {
        Self {
            sightings,
            counting: Arc::default(),
        }
    }

    /// How many live tokens these requests would end.
    async fn ended_by(&self, requests: &[AdminRequest], index: &Index) -> Result<usize, Refusal> {
        let turn = self.counting.clone().lock_owned().await;
        let (sightings, index) = (self.sightings.clone(), index.clone());
        let requests = requests.to_vec();
        let counted = tokio::task::spawn_blocking(move || {
            // The count goes on if nobody waits for it.
            let _turn = turn;
            sightings.ended_by(&requests, &index)
        });
        counted.await.map_err(|_| Refusal::Unavailable(RETRY_AFTER))
    }
}

impl<L: RevocationLog + Clone + Send + Sync + 'static> Shared<L> {
    /// A dry run with how many of the tokens that were used here the requests would end.
    pub(super) async fn counted(
        &self,
        mut dry_run: DryRun,
        requests: &[AdminRequest],
    ) -> Result<DryRun, Refusal> {
        if let Some(seen) = &self.seen {
            dry_run.sightings = Some(seen.ended_by(requests, &self.index).await?);
        }
        Ok(dry_run)
    }

    pub(super) fn sightings(
        &self,
        caller: &Caller,
        head: &Parts,
    ) -> Result<Response<AdminBody>, Refusal> {
        caller.needs(Role::Viewer)?;
        let (Some(seen), Some(handles)) = (&self.seen, &self.handles) else {
            return Err(Refusal::NotFound);
        };
        let query = Query::of(head.uri.query().unwrap_or_default())?;
        let tenant = self.tenants.tenant(query.issuer.as_ref())?;
        let tenant = tenant.as_deref();
        let handles = HandlesOf::subject(handles, tenant, &query.subject);
        let mut rows = seen.sightings.of_subject(tenant, &query.subject);
        if let Some(cursor) = query.cursor {
            rows.retain(|row| Cursor::of(row) > cursor);
        }
        let more = rows.len() > query.limit;
        rows.truncate(query.limit);
        let next = rows.last().filter(|_| more).map(Cursor::of);
        let sightings = rows.iter().map(|row| token(row, &handles, &self.index));
        let page = SightingsPage {
            seen_here_since: seen.sightings.since().seconds(),
            sightings: sightings.collect(),
            next: next.map(|cursor| URL_SAFE_NO_PAD.encode(cursor.0)),
        };
        Ok(json(StatusCode::OK, &page))
    }
}

fn token(seen: &Sighting, handles: &HandlesOf<'_>, index: &Index) -> SeenToken {
    let date = |date: Option<NumericDate>| date.map(NumericDate::seconds);
    SeenToken {
        handle: handles.seal(&seen.selector()),
        session: handles.seal(&seen.session()),
        verdict: seen.state(index).as_str().to_owned(),
        client: seen.client_id.clone(),
        issued: date(seen.iat),
        expires: date(seen.exp),
        first_use: seen.first_use.seconds(),
        last_use: seen.last_use.seconds(),
        browser: seen.browser.as_str().to_owned(),
        network: seen.network.map(|network| network.to_string()),
    }
}

/// The place of a row in the list, so that a page goes on where the one before ended, also if rows
/// came or went in between.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cursor([u8; 41]);

impl Cursor {
    fn of(row: &Sighting) -> Self {
        let mut place = [0; 41];
        // The latest comes first.
        let first_use = u64::MAX - row.first_use.seconds();
        place[..8].copy_from_slice(&first_use.to_be_bytes());
        place[8..].copy_from_slice(&row.selector().to_bytes());
        Self(place)
    }
}

/// The parameters of a page.
struct Query {
    subject: String,
    issuer: Option<String>,
    cursor: Option<Cursor>,
    limit: usize,
}

impl Query {
    fn of(query: &str) -> Result<Self, Refusal> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|_| UNREADABLE)?;
        let [mut subject, mut issuer, mut cursor, mut limit] = [None, None, None, None];
        for (name, value) in pairs {
            let parameter = match &*name {
                "subject" => &mut subject,
                "issuer" => &mut issuer,
                "cursor" => &mut cursor,
                "limit" => &mut limit,
                _ => return Err(UNREADABLE),
            };
            if parameter.replace(value).is_some() {
                return Err(Refusal::BadRequest("a parameter is there twice"));
            }
        }
        let subject = subject.filter(|subject| !subject.is_empty());
        let cursor = cursor.map(|cursor| {
            let place = URL_SAFE_NO_PAD.decode(cursor).ok();
            let place = place.and_then(|place| place.try_into().ok());
            place.map(Cursor).ok_or(Refusal::BadRequest(
                "the cursor is not one of this resource",
            ))
        });
        let limit = match limit.map(|limit| limit.parse()) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit @ 1..=MAX_LIMIT)) => limit,
            Some(_) => return Err(Refusal::BadRequest("the limit is 1 to 200")),
        };
        Ok(Self {
            subject: subject.ok_or(Refusal::BadRequest("the parameter subject is missing"))?,
            issuer,
            cursor: cursor.transpose()?,
            limit,
        })
    }
}

const UNREADABLE: Refusal =
    Refusal::BadRequest("the parameters are subject, issuer, cursor and limit");

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::{runtime, task};

    use super::*;
    use crate::log::MemoryLog;

    #[test]
    fn count_that_nobody_waits_for_keeps_its_turn() {
        let mut runtime = runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(1).build();
        runtime.unwrap().block_on(async {
            let index = Index::follow(&MemoryLog::new()).await.unwrap();
            let seen = Seen::new(Sightings::new());
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let busy = task::spawn_blocking(move || ended.recv());
            assert!(seen.ended_by(&[], &index).now_or_never().is_none());
            assert!(seen.counting.try_lock().is_none());
            drop(end);
            assert!(busy.await.unwrap().is_err());
            drop(seen.counting.lock().await);
        });
    }
}
