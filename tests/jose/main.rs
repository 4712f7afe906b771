//! Keys for the verification of signatures.

mod remote_keys;
