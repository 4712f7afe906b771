//! Nobody is watching: neither `tracing` nor `metrics` is on.

pub(super) fn raise(_: &'static str) {}
