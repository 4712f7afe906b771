//! All orders, one a line.

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt as _};

use super::{Begun, Trail};
use crate::log::LogError;

/// How many orders are in memory.
const PIECE: usize = 100;

impl Trail {
    /// All orders, from new to old, as lines of JSON. The first piece has been read, so that a journal
    /// that cannot be read is an error of the response. The next one is read when the peer has taken
    /// the one before.
    pub(in super::super) async fn export(
        &self,
    ) -> Result<impl Stream<Item = Result<Bytes, LogError>> + Send + use<>, LogError> {
        let (first, next) = self.newest(None, PIECE).await?;
        let first = stream::iter([Ok(lines(first))]);
        let trail = self.clone();
        let others = stream::try_unfold(next, move |next| {
            let trail = trail.clone();
            async move {
                let Some(before) = next else {
                    return Ok(None);
                };
                let (found, next) = trail.newest(Some(before), PIECE).await?;
                Ok(Some((lines(found), next)))
            }
        });
        Ok(first.chain(others))
    }
}

fn lines(orders: Vec<Begun>) -> Bytes {
    let mut lines = Vec::new();
    for order in orders {
        if serde_json::to_writer(&mut lines, &order.into_shown()).is_ok() {
            lines.push(b'\n');
        }
    }
    lines.into()
}
