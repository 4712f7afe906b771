//! Errors about keys that had to be fetched.

use crate::{
    error::{Error, ErrorKind},
    jose::RemoteError,
    refusal::Refusal,
};

/// The keys could not be fetched. If they are unusable, the registration is wrong, and the client
/// is refused.
pub(super) fn key_fetch_failed(error: RemoteError) -> Error {
    if error.is_unusable() {
        Error::refused(Refusal::NoSuchKey).caused_by(error)
    } else {
        undecided(error)
    }
}

/// None of the available keys verifies the signature, but a key that is not available may.
pub(super) fn undecided(error: RemoteError) -> Error {
    // The server belongs to the client, and anybody can name the client.
    Error::new(ErrorKind::Unavailable)
        .without_alarm()
        .caused_by(error)
}
