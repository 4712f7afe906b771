//! A family as bytes, before they are masked.

use super::family::{Family, RefreshToken, TokenName};
use crate::log::{FileKey, Selector};

/// The first byte of a row. A later version that adds fields changes it.
const VERSION: u8 = 2;
/// The length of the checksum at the end of a row. It finds damage, by which a row could name
/// another client.
const CHECKSUM: usize = 8;

pub(super) fn pack(key: &FileKey, family: &Family) -> Vec<u8> {
    let mut plain = content(family);
    let checksum = key.digest(&plain);
    plain.extend_from_slice(&checksum[..CHECKSUM]);
    plain
}

fn content(family: &Family) -> Vec<u8> {
    let mut plain = vec![VERSION, u8::from(family.has_foreign)];
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
    for RefreshToken { name, learnt } in &family.refresh_tokens {
        plain.extend_from_slice(&name.digest);
        plain.extend_from_slice(&name.selector.to_bytes());
        plain.extend_from_slice(&learnt.unwrap_or_default().to_le_bytes());
    }
    for (selector, exp) in &family.access_tokens {
        plain.extend_from_slice(&selector.to_bytes());
        plain.extend_from_slice(&exp.to_le_bytes());
    }
    plain
}

/// Reads a masked row. `None` if it is damaged, or has another format.
pub(super) fn read(key: &FileKey, row: &[u8]) -> Option<Family> {
    let mut plain = Vec::new();
    key.unmask(row, &mut plain).ok()?;
    let content = plain.len().checked_sub(CHECKSUM)?;
    let (content, checksum) = plain.split_at_checked(content)?;
    let is_whole = key.digest(content)[..CHECKSUM] == *checksum;
    is_whole.then(|| unpack(content)).flatten()
}

fn unpack(mut plain: &[u8]) -> Option<Family> {
    let rest = &mut plain;
    let [VERSION, has_foreign] = take(rest)? else {
        return None;
    };
    let (expires, latest_iat, unnamed_until) = (number(rest)?, number(rest)?, number(rest)?);
    let mut texts = [const { None }; 6];
    for each in &mut texts {
        text(rest, each)?;
    }
    let [client_id, iss, tenant, sub, grant, sid] = texts;
    let client_id = client_id?;
    let mut refresh_tokens = Vec::new();
    for _ in 0..number(rest)? {
        let digest = take(rest)?;
        let selector = Selector::from_bytes(&take(rest)?)?;
        let name = TokenName { digest, selector };
        let learnt = Some(number(rest)?).filter(|learnt| *learnt > 0);
        refresh_tokens.push(RefreshToken { name, learnt });
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
        has_foreign: has_foreign > 0,
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

    fn refresh_token(number: u8, learnt: Option<u64>) -> RefreshToken {
        let selector = Selector::opaque_token([number; 32]);
        let digest = [number + 100; 32];
        let name = TokenName { digest, selector };
        RefreshToken { name, learnt }
    }

    #[test]
    fn family_is_read_as_it_was_written_and_a_part_of_it_is_refused() {
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
            has_foreign: true,
            latest_iat: 5,
            refresh_tokens: vec![refresh_token(1, Some(3)), refresh_token(2, None)],
            expires: 10,
        };
        let packed = content(&family);
        assert_eq!(unpack(&packed).as_ref(), Some(&family));
        let access_tokens = packed.len() - 2 * 41;
        for length in 0..packed.len() {
            let is_shorter = [access_tokens, access_tokens + 41].contains(&length);
            assert_eq!(unpack(&packed[..length]).is_some(), is_shorter, "{length}");
        }
        assert!(unpack(&[&packed[..], &[0]].concat()).is_none());
        assert!(unpack(&[&[1], &packed[1..]].concat()).is_none());
        let least = Family {
            refresh_tokens: Vec::new(),
            access_tokens: Vec::new(),
            unnamed_until: None,
            has_foreign: false,
            ..family
        };
        assert_eq!(unpack(&content(&least)), Some(least));
    }
}
