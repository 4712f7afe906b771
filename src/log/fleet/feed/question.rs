//! What a leaf asks of a relay: the query and the header fields of a request.

use std::time::Duration;

use hyper::{
    HeaderMap, Uri,
    header::{HeaderName, HeaderValue},
};

use super::super::engine::{Cursor, Incarnation};

/// Which process asks, in 16 hexadecimal digits.
const MEMBER: HeaderName = HeaderName::from_static("tower-revocation-member");
/// Up to which record the readers of the leaf are complete, and in which incarnation.
const APPLIED: HeaderName = HeaderName::from_static("tower-revocation-applied");

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// The last record that the leaf has, and its incarnation. `None` asks for everything.
    pub(super) after: Option<(Incarnation, Cursor)>,
    /// How long the relay may wait for something new.
    pub(super) wait: Duration,
    pub(super) member: u64,
    /// Up to which record the readers of the leaf are complete. `None` if it does not say so this
    /// time.
    pub(super) applied: Option<Applied>,
}

/// What a leaf has. The numbers of another incarnation say nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) incarnation: Incarnation,
    pub(super) sequence: u64,
}

impl Applied {
    /// Up to which record of an incarnation. What is there of another one may be lost in this one, and
    /// others have its numbers.
    pub(super) fn of(self, incarnation: Incarnation) -> u64 {
        if self.incarnation == incarnation {
            self.sequence
        } else {
            0
        }
    }
}

impl Question {
    /// Asks for the records after one, on behalf of no leaf, and without a wait.
    pub(super) fn reading(after: Option<(Incarnation, Cursor)>) -> Self {
        Self {
            after,
            wait: Duration::ZERO,
            member: getrandom::u64().unwrap_or_default(),
            applied: None,
        }
    }

    /// Reads a request. Fails with what is wrong with it.
    pub(super) fn read(uri: &Uri, fields: &HeaderMap) -> Result<Self, &'static str> {
        let (mut after, mut wait) = (None, None);
        let pairs = uri.query().unwrap_or_default().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let is_new = match name {
                "after" => after.replace(place(value).ok_or(AFTER)?).is_none(),
                "wait" => wait.replace(decimal(value).ok_or(WAIT)?).is_none(),
                _ => return Err("the only parameters are `after` and `wait`"),
            };
            if !is_new {
                return Err("a parameter occurs twice");
            }
        }
        let member = field(fields, &MEMBER)?.and_then(hexadecimal);
        let applied = field(fields, &APPLIED)?;
        Ok(Self {
            after,
            wait: Duration::from_millis(wait.unwrap_or(0)),
            member: member.ok_or("`Tower-Revocation-Member` must be 16 hexadecimal digits")?,
            applied: match applied {
                None => None,
                Some(text) => Some(had(text).ok_or(HAD)?),
            },
        })
    }

    /// The query, with its question mark.
    pub(super) fn query(&self) -> String {
        let wait = self.wait.as_millis();
        match self.after {
            None => format!("?wait={wait}"),
            Some((Incarnation(incarnation), Cursor { sequence, mark })) => {
                format!("?after={incarnation:016x}.{sequence}.{mark:016x}&wait={wait}")
            }
        }
    }

    pub(super) fn add_fields(&self, fields: &mut HeaderMap) {
        if let Ok(member) = HeaderValue::try_from(format!("{:016x}", self.member)) {
            fields.insert(MEMBER, member);
        }
        let had = self.applied.map(|applied| {
            let Incarnation(incarnation) = applied.incarnation;
            format!("{incarnation:016x}.{}", applied.sequence)
        });
        if let Some(Ok(had)) = had.map(HeaderValue::try_from) {
            fields.insert(APPLIED, had);
        }
    }
}

const AFTER: &str = "`after` must be INCARNATION.SEQUENCE.MARK, as in an answer";
const HAD: &str = "`Tower-Revocation-Applied` must be INCARNATION.SEQUENCE";
const WAIT: &str = "`wait` must be a number of milliseconds";

fn place(text: &str) -> Option<(Incarnation, Cursor)> {
    let mut parts = text.split('.');
    let incarnation = Incarnation(hexadecimal(parts.next()?)?);
    let sequence = decimal(parts.next()?)?;
    let mark = hexadecimal(parts.next()?)?;
    let place = (incarnation, Cursor { sequence, mark });
    parts.next().is_none().then_some(place)
}

fn had(text: &str) -> Option<Applied> {
    let (incarnation, sequence) = text.split_once('.')?;
    Some(Applied {
        incarnation: Incarnation(hexadecimal(incarnation)?),
        sequence: decimal(sequence)?,
    })
}

fn decimal(text: &str) -> Option<u64> {
    // `parse` accepts a plus.
    let is_number = text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn hexadecimal(text: &str) -> Option<u64> {
    let is_number = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_number
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

/// The value of a field that occurs at most once.
fn field<'a>(fields: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, &'static str> {
    let mut values = fields.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err("a header field occurs twice");
    }
    let text = value.map(HeaderValue::to_str).transpose();
    text.map_err(|_| "a header field is not ASCII")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(query: &str, fields: &HeaderMap) -> Result<Question, &'static str> {
        let uri = Uri::builder().path_and_query(format!("/feed{query}"));
        Question::read(&uri.build().unwrap(), fields)
    }

    fn questions() -> impl Strategy<Value = Question> {
        let place = any::<Option<[u64; 3]>>();
        (place, any::<u64>(), any::<u64>(), any::<Option<[u64; 2]>>()).prop_map(
            |(place, wait, member, applied)| Question {
                after: place.map(|[incarnation, sequence, mark]| {
                    (Incarnation(incarnation), Cursor { sequence, mark })
                }),
                wait: Duration::from_millis(wait),
                member,
                applied: applied.map(|[incarnation, sequence]| Applied {
                    incarnation: Incarnation(incarnation),
                    sequence,
                }),
            },
        )
    }

    proptest! {
        #[test]
        fn question_is_read_as_it_was_asked(question in questions()) {
            let mut fields = HeaderMap::new();
            question.add_fields(&mut fields);
            prop_assert_eq!(read(&question.query(), &fields), Ok(question));
        }

        #[test]
        fn garbage_never_panics(query in "[!-~]{0,60}", member in "[ -~]{0,20}", applied in "[ -~]{0,24}") {
            let mut fields = HeaderMap::new();
            fields.insert(MEMBER, HeaderValue::try_from(member).unwrap());
            fields.insert(APPLIED, HeaderValue::try_from(applied).unwrap());
            if let Ok(uri) = Uri::builder().path_and_query(format!("/feed?{query}")).build() {
                let _ = Question::read(&uri, &fields);
            }
        }
    }

    #[test]
    fn wrong_question_is_refused() {
        let mut fields = HeaderMap::new();
        assert!(read("", &fields).is_err());
        fields.insert(MEMBER, HeaderValue::from_static("0123456789abcdef"));
        assert!(read("", &fields).is_ok());
        for query in [
            "?after=",
            "?after=1.2.3",
            "?after=0123456789abcdef.1",
            "?after=0123456789abcdef.1.0123456789abcdef.1",
            "?after=0123456789abcdef.+1.0123456789abcdef",
            "?after=0123456789abcdef.99999999999999999999.0123456789abcdef",
            "?wait=1s",
            "?wait=-1",
            "?wait=",
            "?wait=1&wait=1",
            "?since=1",
        ] {
            let accepted = read(query, &fields);
            // An empty number is none.
            assert!(accepted.is_err(), "{query}: {accepted:?}");
        }
        for applied in ["", "1", "x.1", "0123456789abcdef.", "0123456789abcdef.-1"] {
            fields.insert(APPLIED, HeaderValue::from_static(applied));
            assert!(read("", &fields).is_err(), "{applied}");
        }
        fields.insert(APPLIED, HeaderValue::from_static("0123456789abcdef.1"));
        assert!(read("", &fields).is_ok());
        fields.append(APPLIED, HeaderValue::from_static("0123456789abcdef.1"));
        assert!(read("", &fields).is_err());
    }
}
