//! The documents of requests and responses, for servers and clients.

mod inspection;
mod object;
mod order;
mod secret;
mod status;

pub(super) use self::object::Object;
pub use self::{
    inspection::{InspectedClaims, InspectedSelector, Inspection, InspectionOrder},
    order::{DryRun, OrderTarget, Receipt, RevocationOrder},
    status::{Status, StatusOfIndex, StatusOfLog},
};
