//! What to change where several places find the same fault.

/// Another connection of the pool answers than the one that was set up.
pub(super) fn pooled(place: &str) -> String {
    format!(
        "a pooler at {place} changes the session between two statements: connect to PostgreSQL \
         itself, or set `pool_mode = session` in PgBouncer",
    )
}

pub(super) fn missing_rights(who: &Who) -> String {
    let Who {
        role,
        database,
        schema,
        ..
    } = who;
    format!(
        "{role} lacks rights: GRANT CREATE ON DATABASE {database} to it, or, if another role owns \
         the schema, USAGE ON SCHEMA {schema}, SELECT, INSERT, UPDATE, DELETE ON ALL TABLES and \
         EXECUTE ON ALL FUNCTIONS in it, and EXECUTE on pg_logical_emit_message; to change the \
         tables of an older version, it must also be a member of the role that owns them",
    )
}

/// The functions of the schema run with the rights of the role. `what` is the schema or something
/// in it.
pub(super) fn foreign(what: &str, owner: &str, who: &Who) -> String {
    let Who {
        place,
        role,
        database,
        ..
    } = who;
    format!(
        "the {what} at {place} belongs to {owner}, who could act as {role}: drop it if it was not \
         made for this log, or else GRANT {owner} to {role}, or give the schema and all in it to the \
         owner of the database {database} (REASSIGN OWNED BY {owner})",
    )
}

/// What is at the other end, for messages.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) place: String,
    pub(super) role: String,
    pub(super) database: String,
    pub(super) schema: String,
}
