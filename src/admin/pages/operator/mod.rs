//! The pages of operators.

mod confirm;
mod home;
mod inspect;
mod order;
mod pending;
mod receipt;
mod refresh;
mod service;
mod sightings;
mod sign_in;
mod status;
mod subject;
mod trail;
mod visit;

pub use self::service::AdminPages;
pub(super) use self::sign_in::SignedIn;
