//! The pages of users.

mod actions;
mod list;
mod service;
mod sign_in;
mod visit;

pub use self::service::OwnPages;
pub(super) use self::sign_in::OwnToken;
