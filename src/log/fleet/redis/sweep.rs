//! Removes records that have expired.

use std::sync::Arc;

use super::{
    fault::Fault,
    link::{Call, Link},
    resp::{Reply, Request},
    scripts::Script,
    session::Session,
    values::Parts,
};

/// The server does nothing else while a piece is removed.
const PIECE: &[u8] = b"1000";

pub(super) async fn sweep(link: &Arc<Link>) -> Result<u64, Fault> {
    let mut all = 0;
    loop {
        let (gone, more) = link.call(&Sweeping(link)).await?;
        all += gone;
        if !more {
            return Ok(all);
        }
    }
}

struct Sweeping<'a>(&'a Link);

impl Call for Sweeping<'_> {
    type Answer = (u64, bool);

    fn request(&self, session: &Session) -> Request {
        let mut request = Request::default();
        let keys = &self.0.target.keys;
        session
            .scripts
            .call(&mut request, Script::Sweep, keys, &[PIECE]);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<Self::Answer, Fault> {
        match Parts::new(replies.into_iter().next(), session)? {
            None => Ok((0, false)),
            Some(mut parts) => Ok((parts.count()?, parts.flag()?)),
        }
    }
}
