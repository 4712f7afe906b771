//! A page of orders, from new to old.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    super::{TrailEntry, TrailPage, problem::Refusal},
    Trail,
};
use crate::log::LogError;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;
/// How many orders are read at once.
const PIECE: usize = 100;
/// How many orders a page looks at. With a rare name, it may find none.
const MAX_SEEN: usize = 2_000;
/// No order has a longer name.
const MAX_NAME: usize = 4096;

/// Which page.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct PageQuery {
    limit: usize,
    /// The place before which it begins.
    before: Option<u64>,
    subject: Option<String>,
    actor: Option<String>,
}

impl PageQuery {
    /// Reads the parameters of a request.
    pub(in super::super) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let parameters: Vec<(String, String)> =
            serde_urlencoded::from_str(query.unwrap_or_default()).map_err(|_| INVALID)?;
        let [mut limit, mut cursor, mut subject, mut actor] = [const { None }; 4];
        for (name, value) in parameters {
            let place = match &*name {
                "limit" => &mut limit,
                "cursor" => &mut cursor,
                "subject" => &mut subject,
                "actor" => &mut actor,
                _ => return Err(INVALID),
            };
            if place.replace(value).is_some() {
                return Err(INVALID);
            }
        }
        let is_name = |name: &String| !name.is_empty() && name.len() <= MAX_NAME;
        if ![&subject, &actor].into_iter().flatten().all(is_name) {
            return Err(Refusal::BadRequest("a name is empty or too long"));
        }
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(limit) => {
                let limit = limit.parse().ok();
                let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
                limit.ok_or(Refusal::BadRequest("the limit is not 1 to 500"))?
            }
        };
        let before = cursor.map(|cursor| read_cursor(&cursor)).transpose()?;
        Ok(Self {
            limit,
            before,
            subject,
            actor,
        })
    }

    fn accepts(&self, order: &TrailEntry) -> bool {
        let is = |wanted: &Option<String>, name: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| name == Some(wanted))
        };
        is(&self.subject, order.target.subject.as_ref()) && is(&self.actor, Some(&order.actor))
    }
}

const INVALID: Refusal =
    Refusal::BadRequest("the parameters may only be limit, cursor, subject and actor, each once");

impl Trail {
    pub(in super::super) async fn page(&self, query: &PageQuery) -> Result<TrailPage, LogError> {
        let mut page = TrailPage::default();
        let mut before = query.before;
        for _ in 0..MAX_SEEN / PIECE {
            let (found, last) = self.newest(before, PIECE).await?;
            for order in found {
                let place = order.place();
                let order = order.into_shown();
                if !query.accepts(&order) {
                    continue;
                }
                page.orders.push(order);
                if page.orders.len() == query.limit {
                    page.next = Some(cursor(place));
                    return Ok(page);
                }
            }
            if last.is_none() {
                return Ok(page);
            }
            before = last;
        }
        page.next = before.map(cursor);
        Ok(page)
    }
}

fn cursor(place: u64) -> String {
    URL_SAFE_NO_PAD.encode(place.to_be_bytes())
}

fn read_cursor(cursor: &str) -> Result<u64, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = bytes.and_then(|bytes| bytes.try_into().ok());
    let place = place.map(u64::from_be_bytes);
    place.ok_or(Refusal::BadRequest("the cursor is not one of this server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_strictly() {
        let parsed = PageQuery::parse(Some("limit=500&subject=a%20b&actor=c")).unwrap();
        assert_eq!((parsed.limit, parsed.before), (500, None));
        assert_eq!(parsed.subject.as_deref(), Some("a b"));
        assert_eq!(PageQuery::parse(None).unwrap().limit, 50);
        assert_eq!(PageQuery::parse(Some("")).unwrap().limit, 50);
        for query in [
            "limit=0",
            "limit=501",
            "limit=-1",
            "limit=x",
            "limit=",
            "limit=1&limit=1",
            "cursor=",
            "cursor=AAAA",
            "cursor=!!",
            "subject=",
            "client=a",
            "subject",
        ] {
            assert!(PageQuery::parse(Some(query)).is_err(), "{query}");
        }
    }

    #[test]
    fn cursor_is_read_as_it_was_written() {
        for place in [0, 1, u64::MAX] {
            assert_eq!(read_cursor(&cursor(place)), Ok(place));
        }
    }
}
