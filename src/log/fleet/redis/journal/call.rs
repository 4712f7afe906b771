//! A call of a script of the journal, and what it replies.

use super::super::{
    super::super::{JournalEntry, NumericDate},
    fault::Fault,
    link::{Call, Link},
    proof::Proof,
    resp::{Reply, Request},
    scripts::Script,
    session::Session,
    values::Parts,
};

pub(super) struct Journaling<'a> {
    link: &'a Link,
    script: Script,
    arguments: &'a [&'a [u8]],
    /// It changes nothing. Then its first argument says whether to write something as a proof.
    only_reads: bool,
}

impl<'a> Journaling<'a> {
    pub(super) fn writing(link: &'a Link, script: Script, arguments: &'a [&'a [u8]]) -> Self {
        Self {
            link,
            script,
            arguments,
            only_reads: false,
        }
    }

    pub(super) fn reading(link: &'a Link, script: Script, arguments: &'a [&'a [u8]]) -> Self {
        Self {
            only_reads: true,
            ..Self::writing(link, script, arguments)
        }
    }

    fn proof(&self, session: &Session) -> Proof {
        if self.only_reads {
            session.proof.of_polls()
        } else {
            session.proof
        }
    }
}

impl Call for Journaling<'_> {
    type Answer = Parts;

    fn request(&self, session: &Session) -> Request {
        let target = &self.link.target;
        let proof = self.proof(session);
        let proves: &[u8] = if proof.is_needed() { b"1" } else { b"0" };
        let first: &[&[u8]] = if self.only_reads { &[proves] } else { &[] };
        let arguments = [first, self.arguments].concat();
        let mut request = Request::default();
        session
            .scripts
            .call(&mut request, self.script, &target.keys, &arguments);
        proof.ask(&mut request, target.timeout);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<Parts, Fault> {
        let mut replies = replies.into_iter();
        let parts = Parts::new(replies.next(), session)?;
        self.proof(session)
            .read(&mut replies, &session.wire.place)?;
        parts.ok_or_else(unexpected)
    }
}

/// Reads place, version, due date and content of each entry.
pub(super) fn entries(parts: &mut Parts) -> Result<Vec<JournalEntry>, Fault> {
    let list = parts.list()?;
    let entries = list.chunks(4).map(|parts| match parts {
        [
            Reply::Text(at),
            Reply::Number(version),
            Reply::Text(due),
            Reply::Text(content),
        ] => {
            let version = u32::try_from(*version).map_err(|_| unexpected())?;
            Ok(JournalEntry::new(
                place(at)?,
                version,
                content.clone(),
                date(due)?,
            ))
        }
        _ => Err(unexpected()),
    });
    entries.collect()
}

/// Reads the place of each entry, and whether it was written.
pub(super) fn written(parts: &mut Parts, count: usize) -> Result<Vec<(u64, bool)>, Fault> {
    let list = parts.list()?;
    let written = list.chunks(2).map(|pair| match pair {
        [Reply::Text(at), Reply::Number(written)] => Ok((place(at)?, *written == 1)),
        _ => Err(unexpected()),
    });
    let written: Vec<_> = written.collect::<Result<_, _>>()?;
    (written.len() == count)
        .then_some(written)
        .ok_or_else(unexpected)
}

/// Reads whether each entry was replaced.
pub(super) fn replaced(parts: &mut Parts, count: usize) -> Result<Vec<bool>, Fault> {
    let replaced: Vec<_> = parts
        .list()?
        .into_iter()
        .map(|reply| reply == Reply::Number(1))
        .collect();
    (replaced.len() == count)
        .then_some(replaced)
        .ok_or_else(unexpected)
}

/// Reads digits.
pub(super) fn place(digits: &[u8]) -> Result<u64, Fault> {
    let digits = std::str::from_utf8(digits).ok();
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(unexpected)
}

fn date(bytes: &[u8]) -> Result<Option<NumericDate>, Fault> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let bytes = bytes.try_into().map_err(|_| unexpected())?;
    Ok(Some(NumericDate::new(u64::from_be_bytes(bytes))))
}

fn unexpected() -> Fault {
    Fault::corrupt("the journal in the server has unexpected content")
}
