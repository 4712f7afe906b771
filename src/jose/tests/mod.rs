//! Keys and signatures: forged ones, those of another library, and those of the specifications.

pub(crate) mod effort;
mod keys;
mod other_library;
mod signatures;
mod spelling;
mod strength;
mod vectors;
