//! Signatures and keys that are made up, and those of the specifications.

pub(crate) mod effort;
mod keys;
mod other_library;
mod signatures;
mod vectors;
