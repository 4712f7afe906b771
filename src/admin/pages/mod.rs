//! Pages for operators and users. They need no script.

mod api;
mod failure;
mod form;
mod frame;
mod operator;
mod picture;
mod recent;
mod respond;
mod shown;
mod style;
mod visit;

pub use self::{operator::AdminPages, recent::RecentRecords, visit::PageSessions};
