//! Can the server keep what the log promises?

use super::{advice, fault::Fault, session::Session};

/// What a server says of itself.
pub(super) struct Facts {
    pub(super) process: i32,
    pub(super) replicated: bool,
}

/// Refuses servers that lose what they have acknowledged, and those that cannot append.
pub(super) async fn server(session: &Session) -> Result<Facts, Fault> {
    let place = &session.who.place;
    let row = session
        .text(
            "select current_setting('server_version_num'), pg_is_in_recovery(), \
             current_setting('fsync'), current_setting('full_page_writes'), pg_backend_pid(), \
             current_setting('synchronous_standby_names') <> ''",
        )
        .await?;
    let column = |number: usize| row.try_get(number).ok().flatten().unwrap_or_default();
    let version = column(0).parse().unwrap_or(0);
    if version < 140_000 {
        return Err(Fault::misconfigured(format!(
            "{place} is PostgreSQL {}: use 14 or later",
            version / 10_000,
        )));
    }
    if column(1) == "t" {
        return Err(Fault::misconfigured(format!(
            "{place} is a standby: use the primary, or write all hosts into the URL",
        )));
    }
    for (number, setting) in [(2, "fsync"), (3, "full_page_writes")] {
        if column(number) != "on" {
            return Err(Fault::misconfigured(format!(
                "{place} has {setting} = off, and a crash would lose revocations: set it to on",
            )));
        }
    }
    let process = column(4).parse();
    Ok(Facts {
        process: process.map_err(|_| Fault::corrupt(format!("{place} has no process")))?,
        replicated: column(5) == "t",
    })
}

/// Returns what distinguishes this life of this server from others: when it was started. Every role may
/// ask that.
///
/// The identifier and the timeline of the database do not: an older copy that is put in its place has
/// the same. A node that was as far behind as the copy would take it for complete.
pub(super) async fn identity(session: &Session) -> Result<String, Fault> {
    let row = session
        .text("select extract(epoch from pg_postmaster_start_time())")
        .await?;
    let identity = row.try_get(0).ok().flatten();
    let place = &session.who.place;
    let identity = identity.ok_or_else(|| Fault::corrupt(format!("{place} was never started")))?;
    Ok(identity.to_owned())
}

/// Refuses a schema that a stranger owns, or in which one owns something: what is in it runs with our
/// rights. Trusted are our role and those that it is a member of, the owner of the database, and
/// superusers.
///
/// Asks for nothing in the schema. `pg_has_role` would not do: it calls a superuser a member of all.
pub(super) async fn owners(session: &Session, schema: &str) -> Result<(), Fault> {
    let row = session
        .text(&format!(
            "with recursive space as (
                 select oid, nspowner from pg_namespace where nspname = '{schema}'
             ), trusted (role) as (
                 select oid from pg_roles where rolname = current_user
                 union
                 select m.roleid from pg_auth_members m join trusted t on t.role = m.member
             ), owners (role, rank, what) as (
                 select nspowner, 1, 'schema {schema}' from space
                 union all select c.relowner, 2, 'table {schema}.' || c.relname
                 from pg_class c join space s on s.oid = c.relnamespace
                 union all select p.proowner, 3, 'function {schema}.' || p.proname
                 from pg_proc p join space s on s.oid = p.pronamespace
             ), foreigners as (
                 select r.rolname::text as name, o.rank, o.what
                 from owners o join pg_roles r on r.oid = o.role
                 where o.role not in (select t.role from trusted t) and not r.rolsuper
                     and r.rolname <> 'pg_database_owner'
                     and o.role not in (
                         select d.datdba from pg_database d where d.datname = current_database()
                     )
             )
             select coalesce((array_agg(name order by rank, what))[1], ''),
                 (array_agg(what order by rank, what))[1]
             from foreigners",
        ))
        .await?;
    let column = |number: usize| row.try_get(number).ok().flatten();
    let owner = column(0).unwrap_or("an unknown role");
    if owner.is_empty() {
        return Ok(());
    }
    let what = column(1).unwrap_or("schema");
    let [what, owner] = [what, owner].map(|name| name.replace(char::is_control, "?"));
    let line = advice::foreign(&what, &owner, &session.who);
    Err(Fault::misconfigured(line))
}

/// Returns what distinguishes this log from others.
pub(super) async fn id(session: &Session, schema: &str) -> Result<std::sync::Arc<str>, Fault> {
    let row = session
        .text(&format!("select id from {schema}.meta"))
        .await?;
    let id = row.try_get(0).ok().flatten();
    let none = || Fault::corrupt(format!("{} has a log without an id", session.who.place));
    id.map(Into::into).ok_or_else(none)
}

/// Refuses a role that may not do what nodes do.
pub(super) async fn rights(session: &Session, schema: &str) -> Result<(), Fault> {
    let row = session
        .text(&format!(
            "select has_schema_privilege('{schema}', 'usage') \
             and has_table_privilege('{schema}.log', 'select') \
             and has_table_privilege('{schema}.log', 'insert') \
             and has_table_privilege('{schema}.log', 'delete') \
             and has_table_privilege('{schema}.meta', 'select') \
             and has_table_privilege('{schema}.meta', 'update') \
             and has_table_privilege('{schema}.member', 'select') \
             and has_table_privilege('{schema}.member', 'insert') \
             and has_table_privilege('{schema}.member', 'update') \
             and has_table_privilege('{schema}.member', 'delete') \
             and has_table_privilege('{schema}.replay', 'select') \
             and has_table_privilege('{schema}.replay', 'insert') \
             and has_table_privilege('{schema}.replay', 'update') \
             and has_table_privilege('{schema}.replay', 'delete') \
             and has_table_privilege('{schema}.replay_meta', 'select') \
             and has_table_privilege('{schema}.replay_meta', 'update') \
             and has_table_privilege('{schema}.journal', 'select') \
             and has_table_privilege('{schema}.journal', 'insert') \
             and has_table_privilege('{schema}.journal', 'update') \
             and has_table_privilege('{schema}.journal', 'delete') \
             and has_table_privilege('{schema}.journal_meta', 'select') \
             and has_table_privilege('{schema}.journal_meta', 'update') \
             and bool_and(has_function_privilege(p.oid, 'execute')) \
             from pg_proc p where p.pronamespace = '{schema}'::regnamespace \
             or p.pronamespace = 'pg_catalog'::regnamespace \
             and p.proname = 'pg_logical_emit_message' and p.proargtypes[1] = 'text'::regtype \
             and p.proargtypes[2] = 'text'::regtype",
        ))
        .await?;
    if row.try_get(0).ok().flatten() == Some("t") {
        return Ok(());
    }
    Err(Fault::misconfigured(advice::missing_rights(&session.who)))
}

/// Refuses a pooler that lends connections for a transaction. What is set for a session would then
/// be set for others, and not for us.
///
/// While one connection is in a transaction, the other one gets the server's process that both have
/// shared, or another one than before.
pub(super) async fn not_pooled(first: &Session, second: &Session) -> Result<(), Fault> {
    const PROCESS: &str = "select pg_backend_pid()";
    if let Err(fault) = second.run("begin").await {
        if fault.lost {
            return Err(fault);
        }
        // A pooler that lends connections for a statement.
        return Err(Fault::misconfigured(advice::pooled(&first.who.place)));
    }
    let [of_second, of_first] = [second.text(PROCESS).await?, first.text(PROCESS).await?];
    second.run("rollback").await?;
    let is = |row: &tokio_postgres::SimpleQueryRow, session: &Session| {
        row.try_get(0).ok().flatten() == Some(&*session.process.to_string())
    };
    if first.process != second.process && is(&of_first, first) && is(&of_second, second) {
        return Ok(());
    }
    Err(Fault::misconfigured(advice::pooled(&first.who.place)))
}
