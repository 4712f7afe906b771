//! Reads the records after a cursor.

use std::time::Duration;

use super::{
    super::{
        super::NumericDate,
        engine::{Ask, Cursor, History, Incarnation, Member, Membership, Page, Report},
    },
    begin,
    fault::Fault,
    hint::Hints,
    link::{Call, Link},
    resp::{Reply, Request},
    scripts::Script,
    session::Session,
    values::{self, Parts, digits},
};

/// How many records a page has, more or less.
pub(super) const PAGE: &[u8] = b"4096";

pub(super) struct Polls {
    link: Link,
}

impl Polls {
    pub(super) fn new(link: Link) -> Self {
        Self { link }
    }

    pub(super) async fn poll(&self, ask: Ask, hints: &Hints) -> Result<Page, Fault> {
        let link = &self.link;
        let polling = Polling { ask, link };
        let mut answer = link.call(&polling).await?;
        if answer.is_none() {
            begin::first(link).await?;
            answer = link.call(&polling).await?;
        }
        let Answer { page, head } =
            answer.ok_or_else(|| Fault::unavailable("somebody removes the log again and again"))?;
        // Not for others: this node has not read the records.
        if polling.ask.member != 0 {
            hints.polled(head);
        }
        Ok(page)
    }
}

struct Polling<'a> {
    ask: Ask,
    link: &'a Link,
}

struct Answer {
    page: Page,
    /// The last record of the log.
    head: u64,
}

impl Call for Polling<'_> {
    type Answer = Option<Answer>;

    fn request(&self, session: &Session) -> Request {
        let (ask, target) = (&self.ask, &self.link.target);
        let after = ask.after.sequence.to_string();
        let [mark, member] = [ask.after.mark, ask.member].map(u64::to_be_bytes);
        let proof = session.proof.of_polls();
        let report = ask.report.as_ref().map(packed).unwrap_or_default();
        let name = ask.report.as_ref().map_or("", |report| &*report.name);
        let mut arguments = vec![
            after.as_bytes(),
            &mark,
            PAGE,
            if proof.is_needed() { b"1" } else { b"0" },
            &member,
            &report,
            name.as_bytes(),
        ];
        let silent = ask.silent.iter();
        let silent = silent.flat_map(|silent| [silent.member, silent.beat].map(u64::to_be_bytes));
        let silent: Vec<_> = silent.collect();
        arguments.extend(silent.iter().map(|bytes| &bytes[..]));
        let mut request = Request::default();
        session
            .scripts
            .call(&mut request, Script::Poll, &target.keys, &arguments);
        proof.ask(&mut request, target.timeout);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<Self::Answer, Fault> {
        let mut replies = replies.into_iter();
        let place = &session.wire.place;
        let Some(mut parts) = Parts::new(replies.next(), session)? else {
            return Ok(None);
        };
        session.proof.of_polls().read(&mut replies, place)?;
        let incarnation: Incarnation = parts.incarnation()?;
        let history = match &*parts.text()? {
            b"SAME" => History::Same,
            b"SWEPT" => History::Swept,
            _ => History::Other,
        };
        let upto = Cursor {
            sequence: parts.count()?,
            mark: parts.bits()?,
        };
        let more = parts.flag()?;
        let head = parts.count()?;
        let page = Page {
            incarnation,
            history,
            upto,
            more,
            forgotten: NumericDate::new(parts.bits()?),
            engine_now: Some(Duration::from_millis(parts.count()?)),
            expected: Some(parts.count()?),
            records: values::records(&parts.text()?)?,
            membership: Membership {
                was_listed: parts.flag()?,
                barrier: parts.flag()?,
                report_wanted: parts.flag()?,
                members: members(&parts.list()?)?,
            },
            age: Duration::ZERO,
        };
        Ok(Some(Answer { page, head }))
    }
}

/// What a node reports, without its name.
fn packed(report: &Report) -> Vec<u8> {
    let mut packed = report.applied.to_be_bytes().to_vec();
    packed.extend_from_slice(digits(report.healed).as_bytes());
    packed.push(if report.waits { b'1' } else { b'0' });
    packed
}

fn members(flat: &[Reply]) -> Result<Vec<Member>, Fault> {
    let members = flat.chunks(2).map(|pair| match pair {
        [Reply::Text(id), Reply::Text(value)] => values::member(id, value),
        _ => values::member(b"", b""),
    });
    members.collect()
}
