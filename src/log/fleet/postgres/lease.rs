//! All nodes of a log have the same lease.

use std::time::Duration;

use super::{super::engine::other_lease, fault::Fault, session::Session};

/// Refuses a lease that is not that of the other nodes. The first node decides.
pub(super) async fn claim(session: &Session, schema: &str, lease: Duration) -> Result<(), Fault> {
    let own = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
    let claim = format!("update {schema}.meta set lease = {own} where lease is null");
    session.run(&claim).await?;
    let row = session
        .text(&format!("select lease from {schema}.meta"))
        .await?;
    let stored = row.try_get(0).ok().flatten();
    let stored = stored.and_then(|stored| stored.parse().ok());
    let missing = || Fault::corrupt(format!("the table {schema}.meta is damaged"));
    let stored: u64 = stored.ok_or_else(missing)?;
    if stored == own {
        return Ok(());
    }
    let change = format!("update {schema}.meta set lease = null");
    Err(Fault::misconfigured(other_lease(stored, lease, &change)))
}
