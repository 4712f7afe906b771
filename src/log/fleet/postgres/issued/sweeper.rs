//! Sweeps once in a period.

use std::{sync::Arc, time::Duration};

use tokio::{task::AbortHandle, time};

use super::{super::super::super::observe, IssuedTables};

/// A task that ends with this.
pub(super) struct Sweeper(AbortHandle);

impl Sweeper {
    pub(super) fn start(tables: &Arc<IssuedTables>, period: Duration, retention: Duration) -> Self {
        let runtime = tables.reader.target.runtime.clone();
        let tables = Arc::downgrade(tables);
        let task = runtime.spawn(async move {
            loop {
                time::sleep(period).await;
                let Some(tables) = tables.upgrade() else {
                    return;
                };
                if let Err(error) = tables.sweep(retention).await {
                    observe::periodic_task_failed("sweeping issued tokens", &error);
                }
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
