//! Appends the batches of the callers that waited, by one script.

use std::sync::Arc;

use super::{
    super::{
        super::NumericDate,
        engine::{Append, Committed, Done},
    },
    begin,
    fault::Fault,
    link::{Call, Link},
    resp::{Reply, Request},
    scripts::Script,
    session::Session,
    values::{Parts, pack},
};

/// The script says these in place of how many selectors were new.
const TOO_MANY: i64 = -1;
const FULL: i64 = -2;

pub(super) struct Appends {
    link: Arc<Link>,
    ceiling: usize,
}

impl Appends {
    pub(super) fn new(link: Arc<Link>, ceiling: usize) -> Self {
        Self { link, ceiling }
    }

    pub(super) async fn append(&self, append: Append) -> Result<Committed, Fault> {
        let call = Appending {
            append,
            ceiling: self.ceiling,
            link: &self.link,
        };
        if let Some(committed) = self.link.call(&call).await? {
            return Ok(committed);
        }
        begin::first(&self.link).await?;
        let committed = self.link.call(&call).await?;
        committed.ok_or_else(|| Fault::unavailable("somebody removes the log again and again"))
    }
}

struct Appending<'a> {
    append: Append,
    ceiling: usize,
    link: &'a Link,
}

impl Call for Appending<'_> {
    type Answer = Option<Committed>;

    fn request(&self, session: &Session) -> Request {
        let mark = self.append.mark.to_be_bytes();
        let ceiling = self.ceiling.to_string();
        let mut batches = Vec::new();
        for batch in &self.append.batches {
            let mut packed = Vec::new();
            batch
                .records
                .iter()
                .for_each(|record| pack(record, &mut packed));
            batches.push((batch.new.to_string(), packed));
        }
        let as_given: &[u8] = if self.append.as_given { b"1" } else { b"0" };
        let mut arguments = vec![&mark[..], ceiling.as_bytes(), as_given];
        for (limit, packed) in &batches {
            arguments.extend([limit.as_bytes(), packed]);
        }
        let mut request = Request::default();
        let target = &self.link.target;
        session
            .scripts
            .call(&mut request, Script::Append, &target.keys, &arguments);
        session.proof.ask(&mut request, target.timeout);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<Self::Answer, Fault> {
        let mut replies = replies.into_iter();
        let place = &session.wire.place;
        let Some(mut parts) = Parts::new(replies.next(), session)? else {
            return Ok(None);
        };
        session.proof.read(&mut replies, place)?;
        let incarnation = parts.incarnation()?;
        let at = NumericDate::new(parts.count()?);
        let numbers = parts.list()?;
        let batches: Option<Vec<_>> = numbers.chunks(2).map(done).collect();
        match batches.filter(|batches| batches.len() == self.append.batches.len()) {
            Some(batches) => Ok(Some(Committed {
                incarnation,
                at,
                batches,
            })),
            None => Err(Fault::corrupt(format!(
                "{place} has not answered for each batch"
            ))),
        }
    }
}

fn done(pair: &[Reply]) -> Option<Done> {
    Some(match *pair {
        [_, Reply::Number(TOO_MANY)] => Done::TooMany,
        [_, Reply::Number(FULL)] => Done::Full,
        [Reply::Number(sequence), Reply::Number(added)] => Done::Appended {
            sequence: sequence.try_into().ok()?,
            added: added.try_into().ok()?,
        },
        _ => return None,
    })
}
