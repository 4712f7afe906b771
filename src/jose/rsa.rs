//! Which RSA public keys are strong enough?

use super::KeyError;

/// Checks the strength of a key. Both numbers come without leading zeros.
///
/// aws-lc-rs does not do this when it builds a key from its components: it accepts the exponent 1,
/// and moduli of 1024 and of 16384 bits.
pub(super) fn check(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyError> {
    if modulus.is_empty() || exponent.is_empty() {
        return Err(KeyError::malformed("the modulus or the exponent is zero"));
    }
    let bits = modulus.len() * 8 - modulus[0].leading_zeros() as usize;
    if bits < 2048 {
        return Err(KeyError::malformed("the modulus is shorter than 2048 bits"));
    }
    if bits > 8192 {
        return Err(KeyError::malformed("the modulus is longer than 8192 bits"));
    }
    if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] {
        // With the exponent 1, a signature is just the padded hash of the message.
        return Err(KeyError::malformed(
            "the modulus is even, or the exponent is even or 1",
        ));
    }
    Ok(())
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}
