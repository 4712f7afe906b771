//! All nodes of a log have the same lease.

use super::{
    super::engine::other_lease,
    fault::Fault,
    link::{Call, Link},
    resp::{Reply, Request},
    scripts::Script,
    session::Session,
    values::Parts,
};

/// Refuses a lease that is not that of the other nodes. The first node decides.
pub(super) async fn claim(link: &Link) -> Result<(), Fault> {
    let stored = link.call(&Claim(link)).await?;
    let target = &link.target;
    if u128::from(stored) == target.lease.as_millis() {
        return Ok(());
    }
    let change = format!("HDEL {} lease", target.keys.all[0]);
    let wrong = other_lease(stored, target.lease, &change);
    Err(Fault::misconfigured(wrong))
}

struct Claim<'a>(&'a Link);

impl Call for Claim<'_> {
    type Answer = u64;

    fn request(&self, session: &Session) -> Request {
        let mut request = Request::default();
        let target = &self.0.target;
        let lease = target.lease.as_millis().to_string();
        let arguments = [lease.as_bytes()];
        session
            .scripts
            .call(&mut request, Script::Lease, &target.keys, &arguments);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<u64, Fault> {
        let parts = Parts::new(replies.into_iter().next(), session)?;
        let missing = || Fault::corrupt("the log in the server has no lease");
        parts.ok_or_else(missing)?.count()
    }
}
