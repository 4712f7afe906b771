//! Secrets that people chose.
