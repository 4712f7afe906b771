//! Parses distinguished names (RFC 4514 §3, with what RFC 2253 §4 also accepts).

use x509_cert::der::{Decode as _, asn1::Any};

use super::{Attribute, DistinguishedName};
use crate::client::certificate::attribute;

/// Why a text is not a distinguished name.
type Reason = &'static str;

/// The maximum length of a name. Names in certificates are much shorter.
const MAX_LEN: usize = 4096;

impl DistinguishedName {
    pub(in super::super) fn parse(written: &str) -> Result<Self, Reason> {
        if written.len() > MAX_LEN {
            return Err("the name is longer than 4096 bytes");
        }
        let mut parser = Parser(written);
        let mut names = vec![Vec::new()];
        loop {
            let attribute = parser.attribute()?;
            let name = names.last_mut().expect("there is always one");
            if name.contains(&attribute) {
                return Err("an attribute is written twice in one relative name");
            }
            name.push(attribute);
            match parser.next() {
                None => return Ok(Self(names)),
                Some('+') => {}
                Some(',') => names.push(Vec::new()),
                Some(_) => return Err("after a value comes `,` or `+`"),
            }
        }
    }
}

/// The unread rest.
struct Parser<'a>(&'a str);

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let mut rest = self.0.chars();
        let next = rest.next();
        self.0 = rest.as_str();
        next
    }

    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches(' ');
    }

    /// `type = value`, with optional spaces.
    fn attribute(&mut self) -> Result<Attribute, Reason> {
        let (written, rest) = self.0.split_once('=').ok_or("an attribute has no `=`")?;
        let oid = attribute::of_type(written.trim_matches(' '))
            .ok_or("an attribute's type is neither a known keyword nor a dotted OID")?;
        self.0 = rest;
        self.skip_spaces();
        let attribute = if let Some(rest) = self.0.strip_prefix('#') {
            self.0 = rest;
            Attribute::of_der(oid, self.der()?)
        } else {
            let bytes = if let Some(rest) = self.0.strip_prefix('"') {
                self.0 = rest;
                self.quoted()?
            } else {
                self.plain()?
            };
            let text = String::from_utf8(bytes).map_err(|_| "a value is not in UTF-8")?;
            Attribute::of_text(oid, &text)
        };
        self.skip_spaces();
        attribute.ok_or("a value is empty, or has a control character")
    }

    /// `#` and the DER of the value in hexadecimal digits.
    fn der(&mut self) -> Result<Any, Reason> {
        const REASON: Reason = "after `#` come hexadecimal digits, which are DER";

        let end = self.0.find([' ', ',', '+']).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        let pairs = digits.as_bytes().chunks(2).map(|pair| match *pair {
            [high, low] => byte(high.into(), low.into()),
            _ => None,
        });
        let bytes: Vec<u8> = pairs.collect::<Option<_>>().ok_or(REASON)?;
        Any::from_der(&bytes).map_err(|_| REASON)
    }

    /// Text up to the next quotation mark.
    fn quoted(&mut self) -> Result<Vec<u8>, Reason> {
        let mut value = Vec::new();
        loop {
            match self.next().ok_or("a quotation mark is not closed")? {
                '"' => return Ok(value),
                '\\' => self.escaped(&mut value)?,
                character => push(&mut value, character),
            }
        }
    }

    /// Text up to the next separator, without unescaped spaces before it.
    fn plain(&mut self) -> Result<Vec<u8>, Reason> {
        let mut value = Vec::new();
        let mut len = 0;
        while !self.0.starts_with([',', '+']) {
            match self.next() {
                None => break,
                Some('"' | ';' | '<' | '>') => {
                    return Err("one of `\"`, `;`, `<` and `>` is not escaped");
                }
                Some('\\') => self.escaped(&mut value)?,
                Some(' ') => {
                    value.push(b' ');
                    continue;
                }
                Some(character) => push(&mut value, character),
            }
            len = value.len();
        }
        value.truncate(len);
        Ok(value)
    }

    /// The rest of an escape: a special character, or two hexadecimal digits.
    fn escaped(&mut self, value: &mut Vec<u8>) -> Result<(), Reason> {
        const REASON: Reason = "after `\\` comes a special character, or two hexadecimal digits";

        match self.next().ok_or(REASON)? {
            special @ (' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') => {
                push(value, special);
            }
            high => {
                let low = self.next().ok_or(REASON)?;
                value.push(byte(high, low).ok_or(REASON)?);
            }
        }
        Ok(())
    }
}

fn push(value: &mut Vec<u8>, character: char) {
    value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn byte(high: char, low: char) -> Option<u8> {
    u8::try_from(high.to_digit(16)? << 4 | low.to_digit(16)?).ok()
}
