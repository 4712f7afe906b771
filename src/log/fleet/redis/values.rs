//! Numbers and records, here and in the server.

use super::{
    super::{
        super::{NumericDate, Revocation, Selector},
        engine::{Incarnation, Member},
    },
    fault::Fault,
    resp::Reply,
    session::Session,
};

/// Selector, `not_before`, `expires`.
const RECORD: usize = 33 + 8 + 8;

/// A record, as the scripts take it apart.
pub(super) fn pack(record: &Revocation, to: &mut Vec<u8>) {
    to.extend_from_slice(&record.selector().to_bytes());
    to.extend_from_slice(&record.not_before().seconds().to_be_bytes());
    to.extend_from_slice(&record.expires().seconds().to_be_bytes());
}

/// Reads records that a poll has packed.
pub(super) fn records(packed: &[u8]) -> Result<Vec<Revocation>, Fault> {
    let records = packed.chunks(RECORD).map(|record| {
        let (selector, dates) = record.split_first_chunk()?;
        let (not_before, dates) = dates.split_first_chunk()?;
        let (expires, []) = dates.split_first_chunk()? else {
            return None;
        };
        let [not_before, expires] =
            [not_before, expires].map(|seconds| NumericDate::new(u64::from_be_bytes(*seconds)));
        // This version cannot enforce a class that it does not know, so it must not skip it.
        let selector = Selector::from_bytes(selector).ok_or_else(|| {
            Fault::unknown_format(
                "the log has a class of selectors that this node does not know: update it",
            )
        });
        Some(selector.map(|selector| Revocation::watermark(selector, not_before, expires)))
    });
    let damaged = || unexpected("half a record");
    records.map(|record| record.ok_or_else(damaged)?).collect()
}

/// A member without its identifier: beat, applied, healed, waits, name. See `scripts/poll.lua`.
pub(super) fn member(id: &[u8], value: &[u8]) -> Result<Member, Fault> {
    let parts = || {
        let (beat, rest) = value.split_first_chunk()?;
        let (applied, rest) = rest.split_first_chunk()?;
        let (healed, rest) = rest.split_at_checked(16)?;
        let (_, name) = rest.split_first()?;
        Some(Member {
            id: u64::from_be_bytes(id.try_into().ok()?),
            name: String::from_utf8_lossy(name).into(),
            beat: u64::from_be_bytes(*beat),
            applied: u64::from_be_bytes(*applied),
            healed: incarnation(healed)?,
        })
    };
    parts().ok_or_else(|| unexpected("a member in another form"))
}

/// Reads 16 digits.
pub(super) fn incarnation(digits: &[u8]) -> Option<Incarnation> {
    let digits = std::str::from_utf8(digits).ok()?;
    u64::from_str_radix(digits, 16).ok().map(Incarnation)
}

pub(super) fn digits(incarnation: Incarnation) -> String {
    format!("{:016x}", incarnation.0)
}

/// The parts of a script's reply, in order.
pub(super) struct Parts(std::vec::IntoIter<Reply>);

impl Parts {
    /// Reads the reply of a script. It begins with `OK` and the number of replicas, or with what is
    /// wrong with the server.
    pub(super) fn new(reply: Option<Reply>, session: &Session) -> Result<Option<Self>, Fault> {
        let place = &session.wire.place;
        let mut parts = match reply {
            Some(Reply::List(parts)) => Self(parts.into_iter()),
            Some(Reply::Error(error)) => return Err(Fault::refused(&error, place)),
            _ => return Err(unexpected("no answer")),
        };
        let first = parts.text()?;
        if let Some(replicas) = first.strip_prefix(b"OK ") {
            let replicas = std::str::from_utf8(replicas).ok();
            let replicas = replicas.and_then(|replicas| replicas.parse().ok());
            let foreign = || unexpected("no number of replicas");
            session
                .proof
                .suffices(replicas.ok_or_else(foreign)?, place)?;
            return Ok(Some(parts));
        }
        match &*first {
            // There is no log yet, or it was removed.
            b"NONE" => Ok(None),
            b"REPLICA" => Err(Fault::leave(format!("{place} is a replica now"))),
            b"FORMAT" => Err(Fault::unknown_format(format!(
                "{place} has a log of a later version of tower-revocation: update this node",
            ))),
            _ => Err(unexpected("an unknown answer")),
        }
    }

    pub(super) fn text(&mut self) -> Result<Vec<u8>, Fault> {
        match self.0.next() {
            Some(Reply::Text(text)) => Ok(text),
            _ => Err(unexpected("no text")),
        }
    }

    pub(super) fn number(&mut self) -> Result<i64, Fault> {
        match self.0.next() {
            Some(Reply::Number(number)) => Ok(number),
            _ => Err(unexpected("no number")),
        }
    }

    pub(super) fn list(&mut self) -> Result<Vec<Reply>, Fault> {
        match self.0.next() {
            Some(Reply::List(list)) => Ok(list),
            _ => Err(unexpected("no list")),
        }
    }

    pub(super) fn count(&mut self) -> Result<u64, Fault> {
        u64::try_from(self.number()?).map_err(|_| unexpected("a negative number"))
    }

    pub(super) fn flag(&mut self) -> Result<bool, Fault> {
        Ok(self.number()? != 0)
    }

    /// Eight bytes.
    pub(super) fn bits(&mut self) -> Result<u64, Fault> {
        let bytes = self
            .text()?
            .try_into()
            .map_err(|_| unexpected("no eight bytes"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    pub(super) fn incarnation(&mut self) -> Result<Incarnation, Fault> {
        incarnation(&self.text()?).ok_or_else(|| unexpected("no incarnation"))
    }
}

fn unexpected(what: &str) -> Fault {
    Fault::corrupt(format!(
        "the log in the server has unexpected content ({what})"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_packing() {
        let dates = [0, 1, 1 << 53, u64::MAX - 1, u64::MAX].map(NumericDate::new);
        let given: Vec<_> = dates
            .iter()
            .map(|date| Revocation::watermark(Selector::subject("a"), *date, *date))
            .collect();
        let mut packed = Vec::new();
        for record in &given {
            pack(record, &mut packed);
        }
        assert_eq!(records(&packed).unwrap(), given);
        assert!(records(&packed[1..]).is_err());
        packed[0] = 99;
        let fault = records(&packed).unwrap_err();
        assert_eq!(
            fault.kind,
            super::super::super::super::LogErrorKind::UnknownFormat
        );
    }

    #[test]
    fn members_are_read() {
        let value = b"\0\0\0\0\0\0\0\x03\xff\xff\xff\xff\xff\xff\xff\xff00000000000000ff1me \xff";
        let member = member(&7_u64.to_be_bytes(), value).unwrap();
        assert_eq!((member.id, member.beat, member.applied), (7, 3, u64::MAX));
        assert_eq!(
            (member.healed, &*member.name),
            (Incarnation(255), "me \u{fffd}")
        );
        for length in 0..33 {
            assert!(super::member(&[0; 8], &value[..length]).is_err());
        }
        assert!(super::member(&[0; 7], value).is_err());
    }
}
