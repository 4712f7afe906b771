//! Many orders in one request.

use serde::{Deserialize, Deserializer, Serialize};

use super::{DryRun, Object, Receipt, RevocationOrder};
use crate::admin::Problem;

/// The body of `POST /v1/revocations:bulk`: at most 1,000 orders. Unknown members are an error.
///
/// ```
/// use tower_revocation::admin::BulkOrder;
///
/// let bulk: BulkOrder = serde_json::from_str(
///     r#"{ "orders": [{ "target": { "subject": "alice" } }, { "target": { "subject": "bob" } }] }"#,
/// )?;
/// assert_eq!(bulk.orders.len(), 2);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BulkOrder {
    /// The orders.
    #[serde(deserialize_with = "objects")]
    pub orders: Vec<RevocationOrder>,
}

/// The response to a [`BulkOrder`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BulkResults {
    /// The result of each order, in the same order.
    pub results: Vec<BulkResult>,
}

/// What came of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BulkResult {
    /// The status that the order would have had as a request of its own: 201 if it was carried out.
    pub status: u16,
    /// The receipt, if it was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// What it would do, with `?dry_run=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<DryRun>,
    /// Why not, if it was not carried out. With the status 503, it may have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

fn objects<'de, D>(from: D) -> Result<Vec<RevocationOrder>, D::Error>
where
    D: Deserializer<'de>,
{
    let objects: Vec<Object<RevocationOrder>> = Vec::deserialize(from)?;
    Ok(objects.into_iter().map(|Object(order)| order).collect())
}
