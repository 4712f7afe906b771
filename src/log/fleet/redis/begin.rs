//! Begins another life of the log.

use super::{
    super::engine::Incarnation,
    fault::Fault,
    link::{Call, Link},
    resp::{Reply, Request},
    scripts::Script,
    session::Session,
    values::{Parts, digits},
};

/// Begins the first life, if there is none: the log is new, or somebody has removed it.
pub(super) async fn first(link: &Link) -> Result<(), Fault> {
    begin(link, String::new()).await
}

/// Begins another life, if this one is still the current one.
pub(super) async fn after(link: &Link, before: Incarnation) -> Result<(), Fault> {
    begin(link, digits(before)).await
}

async fn begin(link: &Link, before: String) -> Result<(), Fault> {
    let random = || getrandom::u64().map_err(|_| Fault::unavailable("there is no randomness"));
    let epoch = format!("{:016x}{:016x}", random()?, random()?);
    let call = Beginning {
        before,
        epoch,
        link,
    };
    link.call(&call).await
}

struct Beginning<'a> {
    before: String,
    epoch: String,
    link: &'a Link,
}

impl Call for Beginning<'_> {
    type Answer = ();

    fn request(&self, session: &Session) -> Request {
        let mut request = Request::default();
        let target = &self.link.target;
        let lease = target.lease.as_millis().to_string();
        let arguments = [
            self.before.as_bytes(),
            self.epoch.as_bytes(),
            lease.as_bytes(),
        ];
        session
            .scripts
            .call(&mut request, Script::Begin, &target.keys, &arguments);
        session.proof.ask(&mut request, target.timeout);
        request
    }

    fn read(&self, replies: Vec<Reply>, session: &Session) -> Result<(), Fault> {
        let mut replies = replies.into_iter();
        Parts::new(replies.next(), session)?;
        session.proof.read(&mut replies, &session.wire.place)
    }
}
