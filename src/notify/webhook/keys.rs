//! The keys that sign notices.

use aws_lc_rs::hmac;
use base64::{
    Engine as _,
    alphabet::STANDARD as ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use super::super::NotifyError;
use crate::token::Secret;

/// How many keys there can be.
const MAX_KEYS: usize = 4;
/// The shortest and the longest key, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys that sign notices. The secrets themselves are not kept.
pub(super) struct Keys(Vec<hmac::Key>);

impl Keys {
    pub(super) fn new(secrets: &[Secret]) -> Result<Self, NotifyError> {
        if secrets.is_empty() || secrets.len() > MAX_KEYS {
            let reason = "a webhook has one to four keys";
            return Err(NotifyError::configuration(reason));
        }
        secrets.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// The value of `webhook-signature`: one signature for each key.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let head = format!("{id}.{timestamp}.");
        let signatures = self.0.iter().map(|key| {
            let mut signed = hmac::Context::with_key(key);
            signed.update(head.as_bytes());
            signed.update(body);
            format!("v1,{}", STANDARD.encode(signed.sign()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

fn key(secret: &Secret) -> Result<hmac::Key, NotifyError> {
    const NO_KEY: &str = "a key of a webhook is whsec_ and 24 to 64 bytes in base64";
    let text = secret.expose().trim();
    let text = text.strip_prefix("whsec_").unwrap_or(text);
    let bytes = BASE64.decode(text).ok();
    #[cfg(feature = "zeroize")]
    let bytes = bytes.map(zeroize::Zeroizing::new);
    let bytes = bytes.filter(|bytes| LENGTHS.contains(&bytes.len()));
    let bytes = bytes.ok_or(NotifyError::configuration(NO_KEY))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn example_of_the_specification_has_its_signature() {
        let keys = Keys::new(&[Secret::new(KEY)]).unwrap();
        let signature = keys.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_signs() {
        let other = "C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let signed = |keys: &[&str]| {
            let keys: Vec<_> = keys.iter().copied().map(Secret::new).collect();
            Keys::new(&keys).unwrap().sign("msg_1", 1, b"{}")
        };
        let both = format!("{} {}", signed(&[KEY]), signed(&[other]));
        assert_eq!(signed(&[KEY, other]), both);
    }

    #[test]
    fn key_that_can_be_guessed_is_refused() {
        let refused = |keys: &[Secret]| Keys::new(keys).err().map(|error| error.to_string());
        assert!(refused(&[]).is_some());
        for text in [
            "",
            "whsec_",
            "hunter2",
            "whsec_c2hvcnQ=",
            "no base64 at all, but it is long",
        ] {
            let error = refused(&[Secret::new(text)]).unwrap();
            assert!(text.len() < 8 || !error.contains(text));
        }
        assert!(refused(&[const { KEY }; 5].map(Secret::new)).is_some());
    }
}
