//! Ready-made backends.

mod record;

pub use record::{Cascade, Record};
