//! The documents of requests and responses, for servers and clients.

mod bulk;
mod inspection;
mod object;
mod order;
mod secret;
mod status;
mod trail;

pub(super) use self::object::Object;
pub use self::{
    bulk::{BulkOrder, BulkResult, BulkResults},
    inspection::{InspectedClaims, InspectedSelector, Inspection, InspectionOrder},
    order::{DryRun, OrderTarget, Receipt, RevocationOrder},
    status::{Status, StatusOfIndex, StatusOfLog},
    trail::{TrailDelivery, TrailEntry, TrailPage, TrailTarget},
};
