//! Nobody measures: `metrics` is off.

#[derive(Debug)]
pub(super) struct Pending;

impl Pending {
    pub(super) fn enter() -> Self {
        Self
    }

    pub(super) fn begin(&mut self) {
        let Self = self;
    }

    pub(super) fn end(self, _: bool) {
        let Self = self;
    }
}
