//! A family as bytes, before they are masked.

use super::family::Family;
use crate::log::{Fault, FileKey, LogErrorKind, Selector};

/// The first byte of a row. A later version that adds fields changes it.
const VERSION: u8 = 1;

pub(super) fn pack(family: &Family) -> Vec<u8> {
    let mut plain = vec![VERSION];
    let dates = [
        family.expires,
        family.latest_iat,
        family.unnamed_until.unwrap_or_default(),
    ];
    for date in dates {
        plain.extend_from_slice(&date.to_le_bytes());
    }
    let texts = [&family.iss, &family.tenant, &family.sub];
    let texts = texts.into_iter().chain([&family.grant, &family.sid]);
    for text in std::iter::once(Some(&*family.client_id)).chain(texts.map(Option::as_deref)) {
        plain.push(u8::from(text.is_some()));
        let text = text.unwrap_or_default();
        plain.extend_from_slice(&(text.len() as u64).to_le_bytes());
        plain.extend_from_slice(text.as_bytes());
    }
    plain.extend_from_slice(&(family.refresh_tokens.len() as u64).to_le_bytes());
    for (digest, learnt) in &family.refresh_tokens {
        plain.extend_from_slice(digest);
        plain.extend_from_slice(&learnt.to_le_bytes());
    }
    for (selector, exp) in &family.access_tokens {
        plain.extend_from_slice(&selector.to_bytes());
        plain.extend_from_slice(&exp.to_le_bytes());
    }
    plain
}

/// Reads a masked row.
pub(super) fn read(key: &FileKey, row: &[u8]) -> Result<Family, Fault> {
    let mut plain = Vec::new();
    key.unmask(row, &mut plain)?;
    match plain.split_first() {
        Some((&VERSION, plain)) => unpack(plain).ok_or(Fault::new(LogErrorKind::Corrupt)),
        _ => Err(Fault::new(LogErrorKind::UnknownFormat)),
    }
}

/// `None` if it is damaged.
fn unpack(mut plain: &[u8]) -> Option<Family> {
    let rest = &mut plain;
    let (expires, latest_iat, unnamed_until) = (number(rest)?, number(rest)?, number(rest)?);
    let mut texts = [const { None }; 6];
    for each in &mut texts {
        text(rest, each)?;
    }
    let [client_id, iss, tenant, sub, grant, sid] = texts;
    let client_id = client_id?;
    let mut refresh_tokens = Vec::new();
    for _ in 0..number(rest)? {
        refresh_tokens.push((take(rest)?, number(rest)?));
    }
    let mut access_tokens = Vec::new();
    while !rest.is_empty() {
        access_tokens.push((Selector::from_bytes(&take(rest)?)?, number(rest)?));
    }
    Some(Family {
        client_id,
        iss,
        tenant,
        sub,
        grant,
        sid,
        access_tokens,
        unnamed_until: Some(unnamed_until).filter(|until| *until > 0),
        latest_iat,
        refresh_tokens,
        expires,
    })
}

/// Takes the next bytes.
fn take<const LENGTH: usize>(plain: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (bytes, rest) = plain.split_first_chunk()?;
    *plain = rest;
    Some(*bytes)
}

fn number(plain: &mut &[u8]) -> Option<u64> {
    take(plain).map(u64::from_le_bytes)
}

/// Takes the next text into `text`, which stays `None` if there is none.
fn text(plain: &mut &[u8], text: &mut Option<String>) -> Option<()> {
    let [is_there] = take(plain)?;
    let length = usize::try_from(number(plain)?).ok()?;
    let (bytes, rest) = plain.split_at_checked(length)?;
    *plain = rest;
    let read = std::str::from_utf8(bytes).ok()?.to_owned();
    *text = (is_there > 0).then_some(read);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn family_is_read_as_it_was_written_and_a_damaged_one_is_refused() {
        let family = Family {
            client_id: "c1".to_owned(),
            iss: Some("https://as.example.com".to_owned()),
            tenant: None,
            sub: Some("älice".to_owned()),
            grant: Some(String::new()),
            sid: None,
            access_tokens: vec![
                (Selector::token("i", "1"), 7),
                (Selector::token("i", "2"), 8),
            ],
            unnamed_until: Some(9),
            latest_iat: 5,
            refresh_tokens: vec![([1; 32], 3), ([2; 32], 4)],
            expires: 10,
        };
        let packed = pack(&family);
        assert_eq!(unpack(&packed[1..]).as_ref(), Some(&family));
        let access_tokens = packed.len() - 2 * 41;
        for length in 1..packed.len() {
            let is_shorter = [access_tokens, access_tokens + 41].contains(&length);
            assert_eq!(unpack(&packed[1..length]).is_some(), is_shorter, "{length}");
        }
        assert!(unpack(&[&packed[1..], &[0]].concat()).is_none());
        let least = Family {
            refresh_tokens: Vec::new(),
            access_tokens: Vec::new(),
            unnamed_until: None,
            ..family
        };
        assert_eq!(unpack(&pack(&least)[1..]), Some(least));
    }
}
