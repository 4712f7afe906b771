//! Envoy's `X-Forwarded-Client-Cert`: pairs `Key=value` separated by semicolons, elements separated
//! by commas.

use std::borrow::Cow;

use hyper::HeaderMap;

use super::{MalformedCertificate, certificate, pem, single};
use crate::client::certificate::ClientCertificate;

pub(super) const CERT: &str = "x-forwarded-client-cert";

const NOT_AN_ELEMENT: MalformedCertificate =
    MalformedCertificate("X-Forwarded-Client-Cert is not one element with pairs");

pub(super) fn read(
    headers: &HeaderMap,
    verified: bool,
) -> Result<Option<ClientCertificate>, MalformedCertificate> {
    let Some(field) = single(headers, CERT)? else {
        return Ok(None);
    };
    let (mut cert, mut chain) = (None, None);
    let mut rest = field;
    loop {
        let (key, value, after) = pair(rest)?;
        let place = if key.eq_ignore_ascii_case(b"cert") {
            &mut cert
        } else if key.eq_ignore_ascii_case(b"chain") {
            &mut chain
        } else {
            &mut None
        };
        if place.replace(value).is_some() {
            return Err(MalformedCertificate(
                "X-Forwarded-Client-Cert has a certificate twice",
            ));
        }
        match after.split_first() {
            None => break,
            Some((b';', after)) => rest = after,
            Some((b',', _)) => {
                return Err(MalformedCertificate(
                    "X-Forwarded-Client-Cert has more than one element",
                ));
            }
            Some(_) => return Err(NOT_AN_ELEMENT),
        }
    }
    let cert = cert.ok_or(MalformedCertificate(
        "X-Forwarded-Client-Cert has no certificate",
    ))?;
    let certificate = certificate(pem::one(&cert)?, verified)?;
    // Envoy's chain starts with the certificate itself.
    let mut chain = chain.map_or(Ok(Vec::new()), |chain| pem::all(&chain))?;
    if chain
        .first()
        .is_some_and(|first| first == certificate.der())
    {
        chain.remove(0);
    }
    Ok(Some(certificate.chain(chain)))
}

type Pair<'a> = (&'a [u8], Cow<'a, [u8]>, &'a [u8]);

/// Splits off one pair. Returns key, value and the rest.
fn pair(element: &[u8]) -> Result<Pair<'_>, MalformedCertificate> {
    let equals = element.iter().position(|byte| *byte == b'=');
    let (key, value) = element.split_at(equals.ok_or(NOT_AN_ELEMENT)?);
    let key = key.trim_ascii();
    if key.is_empty() || !key.iter().all(u8::is_ascii_alphanumeric) {
        return Err(NOT_AN_ELEMENT);
    }
    let value = &value[1..];
    if let Some((b'"', quoted)) = value.split_first() {
        let (value, after) = unquoted(quoted).ok_or(NOT_AN_ELEMENT)?;
        return Ok((key, Cow::Owned(value), after.trim_ascii_start()));
    }
    let end = value.iter().position(|byte| b";,\"".contains(byte));
    let (value, after) = value.split_at(end.unwrap_or(value.len()));
    Ok((key, Cow::Borrowed(value), after))
}

/// Reads a quoted text. Returns it and the rest after the closing quotation mark.
fn unquoted(quoted: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut value = Vec::new();
    let mut rest = quoted;
    loop {
        let (first, after) = rest.split_first()?;
        rest = after;
        match first {
            b'"' => return Some((value, rest)),
            b'\\' => {
                let (escaped, after) = rest.split_first()?;
                value.push(*escaped);
                rest = after;
            }
            byte => value.push(*byte),
        }
    }
}
