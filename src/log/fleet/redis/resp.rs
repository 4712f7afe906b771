//! The protocol of Redis, as far as a log needs it: version 2, without pushed messages.

/// Commands that are sent together.
#[derive(Default)]
pub(super) struct Request {
    pub(super) bytes: Vec<u8>,
    /// How many replies there will be.
    pub(super) replies: usize,
}

impl Request {
    /// Adds a command: its name and its arguments.
    pub(super) fn add(&mut self, command: &[&[u8]]) -> &mut Self {
        self.header(b'*', command.len());
        for part in command {
            self.header(b'$', part.len());
            self.bytes.extend_from_slice(part);
            self.bytes.extend_from_slice(b"\r\n");
        }
        self.replies += 1;
        self
    }

    fn header(&mut self, kind: u8, count: usize) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(count.to_string().as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }
}

/// What a server replies to a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Text(Vec<u8>),
    Number(i64),
    Nothing,
    List(Vec<Reply>),
    /// A code in capitals, and a sentence for people.
    Error(String),
}

/// The server does not speak the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A page has some hundred kilobytes.
const LONGEST_TEXT: usize = 64 << 20;
const LONGEST_LINE: usize = 64 << 10;
const LONGEST_LIST: usize = 1 << 20;
/// Replies of scripts have lists in a list.
const DEEPEST: usize = 8;

/// Reads the reply at the beginning, and returns how long it is. `None` if more bytes are needed.
pub(super) fn reply(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Malformed> {
    let mut reader = Reader { bytes, at: 0 };
    let reply = reader.reply(DEEPEST)?;
    Ok(reply.map(|reply| (reply, reader.at)))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn reply(&mut self, depth: usize) -> Result<Option<Reply>, Malformed> {
        let Some(line) = self.line()? else {
            return Ok(None);
        };
        let (kind, rest) = line.split_first().ok_or(Malformed)?;
        let reply = match kind {
            b'+' => Reply::Text(rest.to_vec()),
            b'-' => Reply::Error(String::from_utf8_lossy(rest).into_owned()),
            b':' => Reply::Number(number(rest)?),
            b'$' | b'*' if rest == b"-1" => Reply::Nothing,
            b'$' => match self.text(count(rest, LONGEST_TEXT)?)? {
                None => return Ok(None),
                Some(text) => Reply::Text(text.to_vec()),
            },
            b'*' => {
                let depth = depth.checked_sub(1).ok_or(Malformed)?;
                let mut list = Vec::new();
                for _ in 0..count(rest, LONGEST_LIST)? {
                    match self.reply(depth)? {
                        None => return Ok(None),
                        Some(item) => list.push(item),
                    }
                }
                Reply::List(list)
            }
            _ => return Err(Malformed),
        };
        Ok(Some(reply))
    }

    fn line(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
            return if rest.len() > LONGEST_LINE {
                Err(Malformed)
            } else {
                Ok(None)
            };
        };
        self.at += end + 2;
        Ok(Some(&rest[..end]))
    }

    fn text(&mut self, length: usize) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = &self.bytes[self.at..];
        let Some((text, end)) = rest.get(..length + 2).map(|text| text.split_at(length)) else {
            return Ok(None);
        };
        if end != b"\r\n" {
            return Err(Malformed);
        }
        self.at += length + 2;
        Ok(Some(text))
    }
}

fn number(digits: &[u8]) -> Result<i64, Malformed> {
    let digits = std::str::from_utf8(digits).map_err(|_| Malformed)?;
    digits.parse().map_err(|_| Malformed)
}

fn count(digits: &[u8], most: usize) -> Result<usize, Malformed> {
    let count = usize::try_from(number(digits)?).map_err(|_| Malformed)?;
    if count > most {
        return Err(Malformed);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> Reply {
        let (reply, length) = reply(bytes).unwrap().unwrap();
        assert_eq!(length, bytes.len());
        reply
    }

    #[test]
    fn each_kind_of_reply_is_read() {
        assert_eq!(whole(b"+OK\r\n"), Reply::Text(b"OK".to_vec()));
        assert_eq!(whole(b"-ERR no\r\n"), Reply::Error("ERR no".to_owned()));
        assert_eq!(whole(b":-12\r\n"), Reply::Number(-12));
        assert_eq!(whole(b"$-1\r\n"), Reply::Nothing);
        assert_eq!(whole(b"*-1\r\n"), Reply::Nothing);
        assert_eq!(
            whole(b"$4\r\n\r\n\0a\r\n"),
            Reply::Text(b"\r\n\0a".to_vec())
        );
        let list = Reply::List(vec![Reply::List(vec![]), Reply::Text(vec![])]);
        assert_eq!(whole(b"*2\r\n*0\r\n$0\r\n\r\n"), list);
    }

    #[test]
    fn a_part_of_a_reply_waits_for_the_rest() {
        let bytes = b"*3\r\n$3\r\nabc\r\n:1\r\n*1\r\n-ERR\r\n";
        for length in 0..bytes.len() {
            assert_eq!(reply(&bytes[..length]), Ok(None), "{length}");
        }
        assert!(matches!(whole(bytes), Reply::List(list) if list.len() == 3));
    }

    #[test]
    fn what_is_not_the_protocol_is_refused() {
        let deep = "*1\r\n".repeat(9);
        let long = "+".repeat(LONGEST_LINE + 2);
        for bytes in [
            "\r\n",
            "hello\r\n",
            "$x\r\n",
            "$-2\r\n",
            ":\r\n",
            "$1\r\nabc",
            "*99999999\r\n",
            "$99999999999\r\n",
            &deep,
            &long,
        ] {
            assert_eq!(reply(bytes.as_bytes()), Err(Malformed), "{bytes:.20}");
        }
    }

    #[test]
    fn commands_are_counted() {
        let mut request = Request::default();
        request.add(&[b"GET", b"\r\n"]).add(&[b"PING"]);
        assert_eq!(
            request.bytes,
            b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n*1\r\n$4\r\nPING\r\n"
        );
        assert_eq!(request.replies, 2);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = reply(&bytes);
        }

        #[test]
        fn near_replies_never_panic(text in "[-+:$*0-9\r\na]{0,60}") {
            let _ = reply(text.as_bytes());
        }
    }
}
