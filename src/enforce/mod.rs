//! Revoked tokens are refused.

mod index;

pub use index::Index;
