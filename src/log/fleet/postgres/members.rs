//! Begins another incarnation, and takes a node that ends from the list.

use std::sync::Arc;

use super::{
    super::{super::position::new_epoch, engine::Incarnation},
    fault::Fault,
    link::Link,
    values::signed,
};

pub(super) struct MemberStatements {
    link: Arc<Link>,
    begin: Arc<str>,
    leave: Arc<str>,
}

impl MemberStatements {
    pub(super) fn new(link: Arc<Link>) -> Self {
        let [begin, leave] = [include_str!("begin.sql"), include_str!("leave.sql")]
            .map(|sql| sql.replace("{schema}", &link.target.schema).into());
        Self { link, begin, leave }
    }

    /// Does nothing if `after` is over already.
    pub(super) async fn begin(&self, after: Incarnation) -> Result<(), Fault> {
        let (after, epoch) = (signed(after.0), signed(new_epoch()));
        self.link.ask(&self.begin, &[&after, &epoch]).await?;
        Ok(())
    }

    pub(super) async fn leave(&self, member: u64) -> Result<(), Fault> {
        self.link.ask(&self.leave, &[&signed(member)]).await?;
        Ok(())
    }
}
