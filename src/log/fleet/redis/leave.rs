//! A node ends.

use super::{
    fault::Fault,
    link::{Call, Link},
    resp::{Reply, Request},
    session::Session,
};

/// Strikes a member out.
pub(super) async fn leave(link: &Link, member: u64) -> Result<(), Fault> {
    link.call(&Leaving { member, link }).await
}

struct Leaving<'a> {
    member: u64,
    link: &'a Link,
}

impl Call for Leaving<'_> {
    type Answer = ();

    fn request(&self, _: &Session) -> Request {
        let mut request = Request::default();
        let members = self.link.target.keys.members.as_bytes();
        request.add(&[b"HDEL", members, &self.member.to_be_bytes()]);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<(), Fault> {
        match replies.into_iter().next() {
            Some(Reply::Error(error)) => Err(Fault::refused(&error, &session.wire.place)),
            _ => Ok(()),
        }
    }
}
