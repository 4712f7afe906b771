//! Issued tokens in the database of a `FleetLog`.

mod places;

use std::{fmt, sync::Arc, time::Duration};

use self::places::Places;
use super::{
    Grant, IssuedToken, Rotation, TokenUse, generated::Generated, grant::Namespace, row::Row,
};
use crate::log::{
    FleetLog, Issued, IssuedTables, LogError, LogErrorKind, NewRow, NumericDate, OldToken, Selector,
};

#[derive(Clone)]
pub(super) struct DatabaseTokens {
    log: FleetLog,
    tables: Arc<IssuedTables>,
    places: Arc<Places>,
}

impl DatabaseTokens {
    /// Connects. Fails if the tokens were stored with another key.
    pub(super) async fn open(log: FleetLog, check: [u8; 32]) -> Result<Self, LogError> {
        let Some(server) = log.issued_server() else {
            let error = LogError::new(LogErrorKind::Misconfigured);
            return Err(error.caused_by(
                "issued tokens need tables: use `postgres://` in the URL of the log, or a file",
            ));
        };
        let tables = server.connect().await?;
        if !tables.is_right_key(&check).await? {
            return Err(LogError::new(LogErrorKind::WrongKey));
        }
        Ok(Self {
            log,
            tables: tables.into(),
            places: Arc::default(),
        })
    }

    pub(super) async fn find(&self, digest: [u8; 32]) -> Result<Option<Row>, LogError> {
        let stored = self.tables.find(&digest).await?;
        let row = stored.map(|stored| {
            let row = Row::unmasked(&stored.content)?;
            Ok::<_, LogError>(Row {
                iat: stored.iat,
                exp: stored.exp,
                used: stored.used,
                ..row
            })
        });
        row.transpose()
    }

    pub(super) async fn issue(
        &self,
        namespace: Namespace,
        grant: Grant,
        generated: Vec<Generated>,
    ) -> Result<Option<Vec<IssuedToken>>, LogError> {
        let iat = self.store(&namespace, None, &grant, &generated).await?;
        Ok(match iat {
            Issued::At(iat) => Some(at(iat, generated)),
            Issued::Reused | Issued::Revoked => None,
        })
    }

    pub(super) async fn earliest_iat(
        &self,
        namespace: Namespace,
        grant: Grant,
    ) -> Result<Option<NumericDate>, LogError> {
        let iat = self.store(&namespace, None, &grant, &[]).await?;
        Ok(match iat {
            Issued::At(iat) => Some(iat),
            Issued::Reused | Issued::Revoked => None,
        })
    }

    /// `row` is that of the old token.
    pub(super) async fn rotate(
        &self,
        namespace: Namespace,
        old: [u8; 32],
        row: Row,
        generated: Vec<Generated>,
    ) -> Result<Rotation, LogError> {
        if row.usage == TokenUse::AccessToken {
            return Ok(Rotation::Invalid);
        }
        let token = OldToken {
            digest: old,
            selector: Selector::opaque_token(old),
        };
        let iat = self.store(&namespace, Some(token), &row.grant, &generated);
        Ok(match iat.await? {
            Issued::At(iat) => Rotation::Issued(at(iat, generated)),
            Issued::Reused => Rotation::Reused(row.grant),
            Issued::Revoked => Rotation::Invalid,
        })
    }

    async fn store(
        &self,
        namespace: &Namespace,
        old: Option<OldToken>,
        grant: &Grant,
        generated: &[Generated],
    ) -> Result<Issued, LogError> {
        let _place = self.places.take(grant.client(namespace))?;
        let new = |generated: &Generated| NewRow {
            digest: generated.digest,
            // The server sets the dates.
            content: generated.row(grant, NumericDate::new(0)).pack(),
            lifetime: generated.new.lifetime,
        };
        let rows: Vec<NewRow> = generated.iter().map(new).collect();
        self.tables
            .issue(old, grant.selectors(namespace), &rows)
            .await
    }

    pub(super) async fn sweep(&self, retention: Duration) -> Result<u64, LogError> {
        self.tables.sweep(retention).await
    }

    pub(super) fn sweep_every(&self, period: Duration, retention: Duration) {
        self.tables.sweep_every(period, retention);
    }
}

fn at(iat: NumericDate, generated: Vec<Generated>) -> Vec<IssuedToken> {
    let issued = generated.into_iter().map(|generated| generated.issued(iat));
    issued.collect()
}

impl fmt::Debug for DatabaseTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseTokens")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
