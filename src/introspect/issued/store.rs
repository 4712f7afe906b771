//! Where issued tokens are stored.

use std::{future::ready, time::Duration};

#[cfg(feature = "postgres")]
use super::database::DatabaseTokens;
use super::{
    Grant, IssuedToken, Rotation,
    file::FileTokens,
    generated::Generated,
    grant::Namespace,
    log::{Kind, TokenLog},
    row::Row,
};
use crate::log::{LogError, NumericDate};

#[derive(Clone, Debug)]
pub(super) enum Store {
    File(FileTokens),
    #[cfg(feature = "postgres")]
    Database(DatabaseTokens),
}

impl Store {
    /// Creates the tables if there are none. Fails if they were created with another key.
    pub(super) async fn open(TokenLog(log): TokenLog, check: [u8; 32]) -> Result<Self, LogError> {
        Ok(match log {
            Kind::File(log) => Self::File(FileTokens::open(log, check).await?),
            #[cfg(feature = "postgres")]
            Kind::Database(log) => Self::Database(DatabaseTokens::open(log, check).await?),
        })
    }

    /// The row of a token. A file is read at once, on the thread of the caller.
    pub(super) async fn find(&self, digest: [u8; 32]) -> Result<Option<Row>, LogError> {
        match self {
            Self::File(file) => ready(file.find(&digest, NumericDate::now())).await,
            #[cfg(feature = "postgres")]
            Self::Database(database) => database.find(digest).await,
        }
    }

    /// Stores tokens of a grant. `None` if the grant is revoked.
    pub(super) async fn issue(
        &self,
        namespace: Namespace,
        grant: Grant,
        generated: Vec<Generated>,
    ) -> Result<Option<Vec<IssuedToken>>, LogError> {
        match self {
            Self::File(file) => file.issue(namespace, grant, generated).await,
            #[cfg(feature = "postgres")]
            Self::Database(database) => database.issue(namespace, grant, generated).await,
        }
    }

    /// The first second from now on that no record covers, for anything of a grant.
    pub(super) async fn earliest_iat(
        &self,
        namespace: Namespace,
        grant: Grant,
    ) -> Result<Option<NumericDate>, LogError> {
        match self {
            Self::File(file) => file.earliest_iat(namespace, grant).await,
            #[cfg(feature = "postgres")]
            Self::Database(database) => database.earliest_iat(namespace, grant).await,
        }
    }

    /// Exchanges a token, whose row was found, for others of the same grant.
    pub(super) async fn rotate(
        &self,
        namespace: Namespace,
        old: [u8; 32],
        row: Row,
        generated: Vec<Generated>,
    ) -> Result<Rotation, LogError> {
        match self {
            Self::File(file) => file.rotate(namespace, old, row, generated).await,
            #[cfg(feature = "postgres")]
            Self::Database(database) => database.rotate(namespace, old, row, generated).await,
        }
    }

    /// Removes tokens that have been expired for longer than `retention`. Returns how many.
    pub(super) async fn sweep(&self, retention: Duration) -> Result<u64, LogError> {
        match self {
            Self::File(file) => file.sweep(retention).await,
            #[cfg(feature = "postgres")]
            Self::Database(database) => database.sweep(retention).await,
        }
    }

    pub(super) fn sweep_every(&self, period: Duration, retention: Duration) {
        match self {
            Self::File(file) => file.sweep_every(period, retention),
            #[cfg(feature = "postgres")]
            Self::Database(database) => database.sweep_every(period, retention),
        }
    }
}
