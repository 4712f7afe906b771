//! The documents of requests and responses, for servers and clients.

mod bulk;
mod inspection;
mod object;
mod order;
#[cfg(feature = "sightings")]
mod own;
mod secret;
#[cfg(feature = "sightings")]
mod sightings;
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
#[cfg(feature = "sightings")]
pub use self::{
    own::{OthersRevoked, OwnSession, OwnSessionsList},
    sightings::{SeenToken, SightingsPage},
};
