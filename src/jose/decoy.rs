//! Verifies with a decoy key, so that an unknown client takes as long as a known one.

use std::{hint::black_box, sync::LazyLock};

use super::{Algorithm, HmacKey, Jwk};

// The private keys have been deleted.
const RSA: &str = concat!(
    r#"{"kty":"RSA","e":"AQAB","n":"v1TZfIIY5GZvXehDflw3p5BUcJcT2YTNfYK3_zuQ934YbeSSeSPVGnIikBg54"#,
    r#"FaJgLju9hn6-rc3i-zpZwtNXUlnxIrTmkxPOTOFnriXq3O3GsLIJXNHGbDHvXRleu089tGzBHwYARy5LlngVvCMPBL"#,
    r#"YnVtgIjhw2ZY_RleTAg9t8t3dF99vrKppEt0y6tnLUGxLG7pIO26vsomPx0cCyzvLUSDD763wQnpGijzzlEztpxkzO"#,
    r#"GKAnD6MecO73i6V8VNGtdy34--MhbXutjbZdKLL6Hn8nfjBzKU412FTcGkLy4XDI17ltRp6x__SFtByligb6xJFL3I"#,
    r#"B78Jinjmhgw"}"#,
);

const P256: &str = concat!(
    r#"{"kty":"EC","crv":"P-256","x":"NveRV-CeL5H2lbLBq025d4HsZFJKnzv6kqtIbJlw7X4","y":"UT1AYsdc-"#,
    r#"UREc5Kexe_mG337GQHJn8LdI8pJBbXwDKM"}"#,
);

const P384: &str = concat!(
    r#"{"kty":"EC","crv":"P-384","x":"WHVTVtHUC-ua5MLlmN8_jOp8QawXhAcC_B2KHx-CtZ1jm3n89RaovIldKkG"#,
    r#"rW7wo","y":"o5eNGpsjqhtFKklogAYcQjaeNjFBm8YXs23XYvM2oxwliZWc1GyAHxrsBdXtaUxL"}"#,
);

const P521: &str = concat!(
    r#"{"kty":"EC","crv":"P-521","x":"AZ8wUtYUdhnXAo3hRNcmOiWGIF7lXUmSaxLg0CqKdV8s9osib7FghPtQP-T"#,
    r#"6doVpCcbJTVAfbAnB6U3BTXj8Mk_A","y":"Af2Qs9Y_Sd_BMiaxxZX91jrZiPcjZPXHPjzyhvWw8H9GUrYopMXJld"#,
    r#"9O8cge8PPqin21XKe6Apwsy10t6NG1rh_W"}"#,
);

const ED25519: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"9cjzTpxhkyigSE1r_KuPqMrH5rkvvo-EXsi6KZpcsio"}"#;

static KEYS: LazyLock<Vec<Jwk>> = LazyLock::new(|| {
    let keys = [RSA, P256, P384, P521, ED25519].into_iter();
    keys.filter_map(|key| Jwk::from_json(key).ok()).collect()
});

static SECRET: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::new(&[0x5a; 64]));

/// Verifies with a decoy key and discards the result, so that an unknown client takes as long as a
/// wrong signature. For RSA the decoy has 2048 bits.
pub(crate) fn verify(algorithm: Algorithm, input: &[u8], signature: &[u8]) {
    let result = if algorithm.is_hmac() {
        SECRET.verify(algorithm, input, signature)
    } else {
        let key = KEYS.iter().find(|key| key.admits(algorithm));
        key.is_some_and(|key| key.verify(algorithm, input, signature))
    };
    black_box(result);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_decoy_for_every_algorithm() {
        for &algorithm in Algorithm::ALL {
            let key = KEYS.iter().any(|key| key.admits(algorithm));
            assert!(key || SECRET.admits(algorithm), "{algorithm}");
            verify(algorithm, b"input", b"signature");
        }
    }
}
