//! A node that says up to where it refuses.

use std::sync::{Arc, Weak};

use tokio::sync::watch;
use tower_revocation::log::{
    FleetLog, Moment, NumericDate, Position, Reader, Revocation, RevocationLog as _,
};

/// Follows a log, as an index does.
pub(crate) struct Watch {
    _reader: Arc<dyn Reader>,
    complete: watch::Receiver<Position>,
}

struct Complete(watch::Sender<Position>);

impl Reader for Complete {
    fn read(&self, _: &[Revocation]) {}

    fn complete(&self, position: Position, _: Moment) {
        self.0.send_replace(position);
    }

    fn forgotten(&self, _: NumericDate) {}
}

impl Watch {
    pub(crate) async fn follow(log: &FleetLog) -> Self {
        let (sender, complete) = watch::channel(Position::default());
        let reader: Arc<dyn Reader> = Arc::new(Complete(sender));
        let weak: Weak<dyn Reader> = Arc::downgrade(&reader);
        log.follow(weak).await.expect("the server answers");
        Self {
            _reader: reader,
            complete,
        }
    }

    /// Waits until the node has every record up to a position.
    pub(crate) async fn reached(&self, position: Position) {
        let mut complete = self.complete.clone();
        let reached = complete.wait_for(|complete| complete.sequence >= position.sequence);
        reached.await.expect("the node follows");
    }
}
