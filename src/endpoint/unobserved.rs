//! Nobody is watching: neither `tracing` nor `metrics` is on.

use super::answer::Error;
use crate::client::Credentials;

#[derive(Debug)]
pub(super) struct Observation;

impl Observation {
    pub(super) fn begin() -> Self {
        Self
    }

    pub(super) fn claim(&mut self, _: &Credentials) {}

    pub(super) fn end(&mut self, _: &'static str, _: Option<&Error>) {}
}
