//! `Client-Cert` and `Client-Cert-Chain` (RFC 9440 §2).

use hyper::{HeaderMap, header::HeaderValue};
use sfv::{BareItem, Item, List, ListEntry, Parser};

use super::{MAX_FIELD, MalformedCertificate, certificate, single};
use crate::client::certificate::ClientCertificate;

pub(super) const CERT: &str = "client-cert";
pub(super) const CHAIN: &str = "client-cert-chain";

pub(super) fn read(
    headers: &HeaderMap,
    verified: bool,
) -> Result<Option<ClientCertificate>, MalformedCertificate> {
    // RFC 9440 §2.2: one item, hence one line.
    let Some(field) = single(headers, CERT)? else {
        // RFC 9440 §2.3: no chain without a certificate.
        if headers.contains_key(CHAIN) {
            return Err(MalformedCertificate(
                "Client-Cert-Chain without Client-Cert",
            ));
        }
        return Ok(None);
    };
    let item: Item = Parser::new(field)
        .parse()
        .map_err(|_| MalformedCertificate("Client-Cert is not one item of RFC 9651"))?;
    let certificate = certificate(bytes(item)?, verified)?;
    Ok(Some(certificate.chain(chain(headers)?)))
}

/// A list, possibly in several lines.
fn chain(headers: &HeaderMap) -> Result<Vec<Vec<u8>>, MalformedCertificate> {
    let lines = headers.get_all(CHAIN);
    if lines.iter().map(HeaderValue::len).sum::<usize>() > MAX_FIELD {
        return Err(MalformedCertificate("a field is too long"));
    }
    let mut chain = Vec::new();
    for line in lines {
        let list: List = Parser::new(line.as_bytes())
            .parse()
            .map_err(|_| MalformedCertificate("Client-Cert-Chain is not a list of RFC 9651"))?;
        for entry in list {
            match entry {
                ListEntry::Item(item) => chain.push(bytes(item)?),
                ListEntry::InnerList(_) => return Err(NOT_BYTES),
            }
        }
    }
    Ok(chain)
}

/// A byte sequence without parameters.
fn bytes(item: Item) -> Result<Vec<u8>, MalformedCertificate> {
    match item.bare_item {
        BareItem::ByteSequence(bytes) if item.params.is_empty() => Ok(bytes),
        _ => Err(NOT_BYTES),
    }
}

const NOT_BYTES: MalformedCertificate =
    MalformedCertificate("a certificate is not a byte sequence");
