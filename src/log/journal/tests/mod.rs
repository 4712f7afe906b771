//! Journals in memory and in a file.

pub(crate) mod contract;
#[cfg(feature = "embedded")]
mod embedded;
mod memory;
