//! Follows the messages of an HTTP/1.1 connection, for what hyper does not tell.
//!
//! hyper reads a request with both `Content-Length` and `Transfer-Encoding` by the latter, and
//! removes the former (RFC 9112 §6.3). That is safe here, but whatever sent such a request may have
//! read it differently, so it has to be refused. And hyper has one time-out for a head and for the
//! time before it.

#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Follows the bytes that a client sends.
#[derive(Debug)]
pub(super) struct Heads {
    state: State,
    switched: Switched,
}

/// Whether the connection is no longer HTTP.
#[derive(Clone, Debug, Default)]
pub(super) struct Switched(Arc<AtomicBool>);

impl Switched {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
enum State {
    Head(Head),
    /// The bytes of a body that are missing.
    Body(u64),
    ChunkSize(Size),
    /// The bytes of a chunk that are missing, with its line end.
    Chunk(u64),
    /// The length of the current line.
    Trailers(usize),
    /// The connection will end, or it is not HTTP.
    Off,
}

/// The head of one request, as far as it has come.
#[derive(Debug, Default)]
struct Head {
    /// Whether there is a request line.
    has_begun: bool,
    line: Line,
    length: Option<u64>,
    is_coded: bool,
}

/// The current line of a head.
#[derive(Debug)]
enum Line {
    /// The request line, or an empty line before it.
    Request {
        len: usize,
    },
    /// The name of a field, as far as it may be one of the two.
    Name {
        len: usize,
        length: bool,
        coding: bool,
    },
    Length(Option<u64>),
    /// The rest does not matter.
    Skip,
}

#[derive(Debug, Default)]
struct Size {
    value: u64,
    is_extension: bool,
}

const LENGTH: &[u8] = b"content-length";
const CODING: &[u8] = b"transfer-encoding";

impl Default for Line {
    fn default() -> Self {
        Self::Request { len: 0 }
    }
}

impl Line {
    const FIELD: Self = Self::Name {
        len: 0,
        length: true,
        coding: true,
    };

    /// Whether the rest of the line does not matter.
    fn is_skipped(&self) -> bool {
        matches!(self, Self::Skip | Self::Request { len: 1 })
    }
}

/// What follows a byte of a head.
enum Next {
    More,
    /// The byte has to change, so that the head is refused.
    Refuse,
    End,
}

impl Heads {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head(Head::default()),
            switched: Switched::default(),
        }
    }

    pub(super) fn switched(&self) -> Switched {
        self.switched.clone()
    }

    /// Whether a part of a head has come.
    pub(super) fn is_within_head(&self) -> bool {
        matches!(&self.state, State::Head(head) if head.has_begun) && !self.switched.is_set()
    }

    /// Follows these bytes. Makes the head of a request with both fields malformed, so that hyper
    /// refuses it with 400.
    pub(super) fn read(&mut self, mut bytes: &mut [u8]) {
        if self.switched.is_set() {
            self.state = State::Off;
        }
        while !bytes.is_empty() {
            let used = match &mut self.state {
                State::Off => return,
                State::Body(missing) | State::Chunk(missing) => {
                    let used = usize::try_from(*missing)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    *missing -= used as u64;
                    used
                }
                State::Head(head) if head.line.is_skipped() => head.skip_line(bytes),
                State::Head(head) => match head.read(&mut bytes[0]) {
                    Next::More => 1,
                    Next::Refuse => {
                        self.state = State::Off;
                        return;
                    }
                    Next::End => {
                        self.state = head.body();
                        1
                    }
                },
                State::ChunkSize(size) => {
                    if let Some(next) = size.read(bytes[0]) {
                        self.state = next;
                    }
                    1
                }
                State::Trailers(len) => {
                    match bytes[0] {
                        b'\n' if *len == 0 => self.state = State::Head(Head::default()),
                        b'\n' => *len = 0,
                        b'\r' => {}
                        _ => *len += 1,
                    }
                    1
                }
            };
            match self.state {
                State::Body(0) => self.state = State::Head(Head::default()),
                State::Chunk(0) => self.state = State::ChunkSize(Size::default()),
                _ => {}
            }
            bytes = &mut bytes[used..];
        }
    }
}

impl Head {
    /// Skips the rest of the line, with its end if that is there. Returns the number of bytes.
    fn skip_line(&mut self, bytes: &[u8]) -> usize {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            return bytes.len();
        };
        self.line = Line::FIELD;
        end + 1
    }

    fn read(&mut self, byte: &mut u8) -> Next {
        match (&mut self.line, *byte) {
            (Line::Request { len: 0 }, b'\n') | (_, b'\r') => {}
            (Line::Name { len: 0, .. }, b'\n') => return Next::End,
            (line, b'\n') => {
                if let Line::Length(length) = line {
                    self.length = length.or(self.length);
                }
                self.line = Line::FIELD;
            }
            (Line::Request { len }, _) => {
                self.has_begun = true;
                *len = 1;
            }
            (
                Line::Name {
                    len,
                    length,
                    coding,
                },
                b':',
            ) => {
                let is_length = *length && *len == LENGTH.len();
                let is_coding = *coding && *len == CODING.len();
                if is_length && self.is_coded || is_coding && self.length.is_some() {
                    // No name has this byte.
                    *byte = 0;
                    return Next::Refuse;
                }
                self.is_coded |= is_coding;
                self.line = if is_length {
                    Line::Length(None)
                } else {
                    Line::Skip
                };
            }
            (
                Line::Name {
                    len,
                    length,
                    coding,
                },
                byte,
            ) => {
                let byte = byte.to_ascii_lowercase();
                *length &= LENGTH.get(*len) == Some(&byte);
                *coding &= CODING.get(*len) == Some(&byte);
                *len += 1;
                if !*length && !*coding {
                    self.line = Line::Skip;
                }
            }
            (Line::Length(length), byte) if byte.is_ascii_digit() => {
                let digit = u64::from(byte - b'0');
                // hyper refuses a length that is no number.
                let value = length.unwrap_or(0).saturating_mul(10).saturating_add(digit);
                *length = Some(value);
            }
            (Line::Length(_) | Line::Skip, _) => {}
        }
        Next::More
    }

    /// What follows the head.
    fn body(&self) -> State {
        match self.length {
            _ if self.is_coded => State::ChunkSize(Size::default()),
            Some(length) if length > 0 => State::Body(length),
            _ => State::Head(Self::default()),
        }
    }
}

impl Size {
    fn read(&mut self, byte: u8) -> Option<State> {
        match byte {
            b'\n' => {
                // The line end of a chunk belongs to it.
                let chunk = self.value.checked_add(2).map_or(State::Off, State::Chunk);
                return Some(if self.value == 0 {
                    State::Trailers(0)
                } else {
                    chunk
                });
            }
            _ if self.is_extension => {}
            byte if byte.is_ascii_hexdigit() => {
                let digit = (byte as char).to_digit(16).map_or(0, u64::from);
                match self.value.checked_mul(16) {
                    Some(value) => self.value = value + digit,
                    None => return Some(State::Off),
                }
            }
            _ => self.is_extension = true,
        }
        None
    }
}
