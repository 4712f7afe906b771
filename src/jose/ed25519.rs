//! Which Ed25519 public keys are secure?

use super::KeyError;

/// The prime of the field, 2^255 - 19, in little-endian order.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// The y coordinates of the points whose order divides 8, besides 0, 1 and -1.
const OF_ORDER_8: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Checks that the key is smaller than the prime (RFC 8032 §5.1.3), and not a point of small order.
/// Without the second check, anyone could forge signatures under such a key.
pub(super) fn check(key: &[u8; 32]) -> Result<(), KeyError> {
    let mut y = *key;
    y[31] &= 0x7f;
    let canonical = y.iter().rev().lt(PRIME.iter().rev());
    let mut minus_one = PRIME;
    minus_one[0] -= 1;
    let zero_or_one = y[0] <= 1 && y[1..].iter().all(|byte| *byte == 0);
    let small = zero_or_one || y == minus_one || OF_ORDER_8.contains(&y);
    if !canonical || small {
        return Err(KeyError::malformed("it is not a sound public key"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    /// A signature with R = the neutral element and S = 0.
    fn forged() -> [u8; 64] {
        let mut forged = [0; 64];
        forged[0] = 1;
        forged
    }

    #[test]
    fn points_of_small_order_are_refused() {
        let mut minus_one = PRIME;
        minus_one[0] -= 1;
        let mut one = [0; 32];
        one[0] = 1;
        for y in [[0; 32], one, minus_one, OF_ORDER_8[0], OF_ORDER_8[1]] {
            let mut negative = y;
            negative[31] |= 0x80;
            for key in [y, negative] {
                assert!(check(&key).is_err());
                // The forgery is valid for at least one message in eight.
                let key = UnparsedPublicKey::new(&ED25519, key);
                let forgeable = (0..200_u8).any(|it| key.verify(&[it], &forged()).is_ok());
                let decodes = y != one && y != minus_one || key.as_ref()[31] & 0x80 == 0;
                assert_eq!(forgeable, decodes);
            }
        }
    }

    #[test]
    fn coordinates_beyond_the_field_are_refused() {
        for low in 0xed..=0xff {
            let mut key = PRIME;
            key[0] = low;
            assert!(check(&key).is_err());
            key[31] |= 0x80;
            assert!(check(&key).is_err());
        }
        let mut below = PRIME;
        below[0] -= 2;
        assert!(check(&below).is_ok());
    }
}
