//! Which assertions of clients were used: beside the state, so that each works once in total.

use std::{sync::Arc, time::Duration};

use tower_revocation::{
    client::replay::{EmbeddedGuard, ReplayGuard},
    log::LogError,
};

use crate::{setting::causes, store::Store};

/// Opens the guard. Sweeps a file; a database does so itself.
pub(crate) fn open(store: &Store, period: Duration) -> Result<Arc<dyn ReplayGuard>, LogError> {
    match store {
        Store::Left(file) => {
            let guard = EmbeddedGuard::open(file.clone())?;
            tokio::spawn(sweep(guard.clone(), period));
            Ok(Arc::new(guard))
        }
        Store::Right(database) => Ok(Arc::new(database.replay_guard()?)),
    }
}

async fn sweep(guard: EmbeddedGuard, period: Duration) {
    let mut interval = tokio::time::interval(period);
    loop {
        interval.tick().await;
        if let Err(error) = guard.sweep().await {
            tracing::error!(cause = causes(&error), "sweeping assertions");
        }
    }
}
