//! Pages for operators and users. They need no script.

mod api;
mod failure;
mod form;
mod frame;
mod operator;
mod own;
mod picture;
mod recent;
mod respond;
mod seen;
mod shown;
mod style;
mod visit;

pub use self::{operator::AdminPages, own::OwnPages, recent::RecentRecords, visit::PageSessions};
