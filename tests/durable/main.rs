//! What lasts: the log, the tokens registered beside it, and the backend that records.

mod ceiling;
mod files;
mod full;
mod issued;
mod log;
mod record;
mod share;
