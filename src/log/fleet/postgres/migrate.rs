//! Creates the tables, and changes those of an older version.

use super::{super::super::position::new_epoch, checks, fault::Fault, session::Session, values};

/// Each makes the next version of the tables. `{schema}` stands for the schema.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
];

/// The version of the tables that this crate reads and writes.
pub(super) const FORMAT: usize = MIGRATIONS.len();

/// How often a node tries to create what another one creates at the same moment.
const TRIES: usize = 5;

/// Brings the tables to the version of the last migration. Nodes that start at once wait for each
/// other.
///
/// They wait at what they create, and not at an advisory lock: any role of the database could take that
/// and keep it.
pub(super) async fn migrate(
    session: &Session,
    schema: &str,
    migrations: &[&str],
) -> Result<(), Fault> {
    let mut tries = 1..TRIES;
    loop {
        // Without a lock in the usual case: a role may lack the rights to create anything.
        if version(session, schema).await? == migrations.len() {
            return Ok(());
        }
        match advance(session, schema, migrations).await {
            // Another node was faster.
            Err(fault) if fault.exists && tries.next().is_some() => {
                session.run("rollback").await?;
            }
            advanced => return advanced,
        }
    }
}

async fn advance(session: &Session, schema: &str, migrations: &[&str]) -> Result<(), Fault> {
    session
        .run("begin; set local statement_timeout = '1min'")
        .await?;
    let mut from = version(session, schema).await?;
    if from > 0 {
        let lock = format!("lock table {schema}.migration in exclusive mode");
        session.run(&lock).await?;
        from = version(session, schema).await?;
    }
    for (number, migration) in migrations.iter().enumerate().skip(from) {
        if number == 0 {
            create_schema(session, schema).await?;
        }
        session.run(&migration.replace("{schema}", schema)).await?;
        if number == 0 {
            let epoch = values::signed(new_epoch());
            let insert = format!("insert into {schema}.meta (format, epoch) values (0, {epoch})");
            session.run(&insert).await?;
        }
        let version = number + 1;
        session
            .run(&format!(
                "insert into {schema}.migration (version) values ({version}); \
                 update {schema}.meta set format = {version}",
            ))
            .await?;
    }
    session.run("commit").await?;
    // The version that another node has made meanwhile may be too new.
    compare(version(session, schema).await?, migrations.len(), schema)
}

/// Returns the version of the tables, or 0 if there are none. Refuses those of a stranger.
async fn version(session: &Session, schema: &str) -> Result<usize, Fault> {
    // `to_regclass` could answer from what this session knew before it waited for the lock.
    let exists = session
        .text(&format!(
            "select exists (select from pg_class where relname = 'migration' and relnamespace = \
             (select oid from pg_namespace where nspname = '{schema}'))",
        ))
        .await?;
    if exists.try_get(0).ok().flatten() != Some("t") {
        return Ok(0);
    }
    checks::owners(session, schema).await?;
    let row = session
        .text(&format!(
            "select coalesce(max(version), 0) from {schema}.migration"
        ))
        .await?;
    let version = row
        .try_get(0)
        .ok()
        .flatten()
        .and_then(|version| version.parse().ok());
    version.ok_or_else(|| Fault::corrupt(format!("the table {schema}.migration is damaged")))
}

async fn create_schema(session: &Session, schema: &str) -> Result<(), Fault> {
    let row = session
        .text(&format!(
            "select exists (select from pg_namespace where nspname = '{schema}')"
        ))
        .await?;
    // `if not exists` would demand the right to create a schema that exists.
    if row.try_get(0).ok().flatten() == Some("t") {
        return checks::owners(session, schema).await;
    }
    session.run(&format!("create schema {schema}")).await
}

/// Refuses tables of a newer version.
pub(super) fn compare(found: usize, known: usize, schema: &str) -> Result<(), Fault> {
    if found <= known {
        return Ok(());
    }
    Err(Fault::unknown_format(format!(
        "the tables of the schema {schema} have the version {found}, and this node knows {known}: \
         update it",
    )))
}
