//! Too many failures.
