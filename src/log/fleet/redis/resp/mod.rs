//! The protocol of Redis, as far as a log needs it: version 2, without pushed messages.

#[cfg(test)]
mod tests;

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

/// The longest reply. A page has some hundred kilobytes.
const LONGEST: usize = 16 << 20;
const LONGEST_LINE: usize = 64 << 10;
/// The items of all lists in a reply.
const MOST_ITEMS: usize = 1 << 20;
/// Replies of scripts have lists in a list.
const DEEPEST: usize = 8;

/// What was received, and as much of a reply as could be made of it. No byte is read twice, however
/// small the pieces are in which it comes.
#[derive(Default)]
pub(super) struct Incoming {
    /// Where the connection puts what it receives.
    pub(super) bytes: Vec<u8>,
    /// Where the next part of the reply begins.
    at: usize,
    /// How many bytes from there on have no end of a line.
    searched: usize,
    /// The length of the text that comes next.
    text: Option<usize>,
    /// Lists that lack items, each in the one before it.
    lists: Vec<Unfinished>,
    /// How long the reply is, and how many items it has, as far as is known.
    size: usize,
    items: usize,
    #[cfg(test)]
    looked_at: usize,
}

struct Unfinished {
    items: Vec<Reply>,
    length: usize,
}

/// A part of a reply.
enum Part {
    Whole(Reply),
    /// That many items follow.
    List(usize),
}

impl Incoming {
    /// Returns the next reply. `None` if more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Reply>, Malformed> {
        while let Some(part) = self.part()? {
            let reply = match part {
                Part::List(0) => Reply::List(Vec::new()),
                Part::List(length) => {
                    if self.lists.len() == DEEPEST {
                        return Err(Malformed);
                    }
                    let items = Vec::new();
                    self.lists.push(Unfinished { items, length });
                    continue;
                }
                Part::Whole(reply) => reply,
            };
            if let Some(reply) = self.put(reply) {
                (self.size, self.items) = (0, 0);
                return Ok(Some(reply));
            }
        }
        self.bytes.drain(..self.at);
        self.at = 0;
        Ok(None)
    }

    /// Puts an item into the innermost list. Returns what is whole with it.
    fn put(&mut self, mut reply: Reply) -> Option<Reply> {
        while let Some(mut list) = self.lists.pop() {
            list.items.push(reply);
            if list.items.len() < list.length {
                self.lists.push(list);
                return None;
            }
            reply = Reply::List(list.items);
        }
        Some(reply)
    }

    fn part(&mut self) -> Result<Option<Part>, Malformed> {
        if let Some(length) = self.text {
            return Ok(self.take_text(length)?.map(Part::Whole));
        }
        let Some(line) = self.take_line()? else {
            return Ok(None);
        };
        let (kind, rest) = line.split_first().ok_or(Malformed)?;
        let whole = match kind {
            b'+' => Reply::Text(rest.to_vec()),
            b'-' => Reply::Error(String::from_utf8_lossy(rest).into_owned()),
            b':' => Reply::Number(number(rest)?),
            b'$' | b'*' if rest == b"-1" => Reply::Nothing,
            b'$' => {
                let length = count(rest, LONGEST)?;
                self.grow(length)?;
                self.text = Some(length);
                return self.part();
            }
            b'*' => {
                let length = count(rest, MOST_ITEMS)?;
                self.items += length;
                if self.items > MOST_ITEMS {
                    return Err(Malformed);
                }
                return Ok(Some(Part::List(length)));
            }
            _ => return Err(Malformed),
        };
        Ok(Some(Part::Whole(whole)))
    }

    /// Takes a line without its end.
    fn take_line(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let rest = &self.bytes[self.at..];
        let unknown = &rest[self.searched.min(rest.len())..];
        let end = unknown.windows(2).position(|pair| pair == b"\r\n");
        #[cfg(test)]
        {
            self.looked_at += end.map_or(unknown.len(), |end| end + 2);
        }
        let Some(end) = end.map(|end| self.searched + end) else {
            // The next byte may be the second half of an end.
            self.searched = rest.len().saturating_sub(1);
            return if rest.len() > LONGEST_LINE {
                Err(Malformed)
            } else {
                Ok(None)
            };
        };
        let line = rest[..end].to_vec();
        self.searched = 0;
        self.at += end + 2;
        self.grow(end + 2)?;
        Ok(Some(line))
    }

    fn take_text(&mut self, length: usize) -> Result<Option<Reply>, Malformed> {
        let rest = &self.bytes[self.at..];
        let Some((text, end)) = rest.get(..length + 2).map(|text| text.split_at(length)) else {
            return Ok(None);
        };
        if end != b"\r\n" {
            return Err(Malformed);
        }
        let text = text.to_vec();
        #[cfg(test)]
        {
            self.looked_at += length + 2;
        }
        self.at += length + 2;
        self.text = None;
        Ok(Some(Reply::Text(text)))
    }

    fn grow(&mut self, by: usize) -> Result<(), Malformed> {
        self.size += by;
        if self.size > LONGEST {
            return Err(Malformed);
        }
        Ok(())
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
