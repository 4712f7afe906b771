//! Which RSA public keys are sound, and how are they written in DER?

use super::KeyError;

/// Modulus and exponent, both without leading zeros.
pub(super) fn check(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyError> {
    if modulus.is_empty() || exponent.is_empty() {
        return Err(KeyError::malformed("a number of the key is zero"));
    }
    let bits = modulus.len() * 8 - modulus[0].leading_zeros() as usize;
    if bits < 2048 {
        return Err(KeyError::malformed("the modulus is shorter than 2048 bits"));
    }
    if bits > 8192 {
        return Err(KeyError::malformed("the modulus is longer than 8192 bits"));
    }
    if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] {
        // With the exponent 1, every message is its own signature.
        return Err(KeyError::malformed(
            "an even modulus, or an exponent that is even or 1",
        ));
    }
    Ok(())
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

/// `RSAPublicKey` (RFC 8017 §A.1.1).
pub(super) fn public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    let numbers = [integer(modulus), integer(exponent)].concat();
    element(SEQUENCE, &numbers)
}

fn integer(number: &[u8]) -> Vec<u8> {
    const INTEGER: u8 = 0x02;
    // The first bit is a sign.
    let negative = number.first().is_some_and(|first| first & 0x80 != 0);
    let sign: &[u8] = if negative { &[0] } else { &[] };
    element(INTEGER, &[sign, number].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|octet| **octet == 0).count();
    let significant = &length[zeros..];
    let mut element = vec![tag];
    match significant {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        // At most eight octets: those of a `usize`.
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            element.extend_from_slice(long);
        }
    }
    element.extend_from_slice(content);
    element
}
