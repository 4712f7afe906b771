-- Entries beside the records, such as the orders of operators. Entries are written, changed, and removed
-- by sweeps once they have expired.

create table {schema}.journal (
    place bigint primary key,
    version bigint not null default 0,
    -- 32 bytes. An entry that was given none has 16 random ones, by which a call that is sent again finds
    -- it.
    key bytea not null unique,
    expires bigint not null,
    due bigint,
    -- The call that has written it, and the one that has changed it last.
    written_by bigint not null,
    changed_by bigint,
    content bytea not null
) with (fillfactor = 80);

create index journal_expires on {schema}.journal (expires);
create index journal_due on {schema}.journal (due) include (expires) where due is not null;
create index journal_changed_by on {schema}.journal (changed_by) where due is not null;

-- One row. Whoever writes entries locks it, so that a later place is also committed later. Only sweeps
-- change it: see `log` about counters.
create table {schema}.journal_meta (
    one bool primary key default true check (one),
    -- The last place that was removed.
    last bigint not null default 0
);

insert into {schema}.journal_meta default values;

-- An old primary that was cut off still answers reads, and does not know the newest entries. It cannot
-- commit this.
create function {schema}.journal_confirm() returns void language plpgsql as $$
begin
    if current_setting('synchronous_standby_names') <> '' then
        perform pg_logical_emit_message(true, 'tower_revocation', '');
    end if;
end
$$;

-- Writes entries with different keys, in this order. Returns the place of each, or that of the earlier
-- entry with its key. Only an earlier one has a version. An entry that this same call has written before
-- is not an earlier one.
--
-- Places are microseconds since 1970, or the next number: an entry that a failover or a restore has lost
-- does not share its place with another one.
create function {schema}.journal_write(
    p_mark bigint, p_keys bytea[], p_contents bytea[], p_expires bigint[], p_dues bigint[],
    out places bigint[], out versions bigint[], out dues bigint[], out contents bytea[]
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint;
    v_last bigint;
begin
    -- It also makes the commit wait for the disk and the standby if there are only earlier entries.
    perform from {schema}.journal_meta m for update;
    -- Statements of their own: their snapshots are from after the lock, so they have the newest entry.
    v_now := floor(extract(epoch from clock_timestamp()) * 1000000)::bigint;
    select greatest(v_now, m.last, (
            select j.place from {schema}.journal j order by j.place desc limit 1
        )) into strict v_last
        from {schema}.journal_meta m;
    v_now := v_now / 1000000;
    delete from {schema}.journal where place in (
        -- In one order, so that nobody who changes entries waits for us while we wait for them.
        select j.place from {schema}.journal j where j.key = any (p_keys) and j.expires <= v_now
        order by j.place for update
    );
    with given as materialized (
        select g.*, j.place, j.version, j.due as known_due, j.content as known, j.written_by
        from unnest(p_keys, p_contents, p_expires, p_dues)
            with ordinality g(key, content, expires, due, number)
        left join {schema}.journal j on j.key = g.key
    ), written as (
        insert into {schema}.journal (place, key, expires, due, written_by, content)
        select v_last + g.number, g.key, g.expires, g.due, p_mark, g.content
        from given g where g.place is null
    ), results as (
        select g.*, g.place is not null and g.written_by <> p_mark as is_earlier from given g
    )
    select array_agg(coalesce(r.place, v_last + r.number) order by r.number),
           array_agg(case when r.is_earlier then r.version end order by r.number),
           array_agg(case when r.is_earlier then r.known_due end order by r.number),
           array_agg(case when r.is_earlier then r.known end order by r.number)
    into places, versions, dues, contents from results r;
end
$$;

-- Changes different entries, if they have these versions. An entry that this same call has changed
-- before is changed.
create function {schema}.journal_replace(
    p_mark bigint, p_places bigint[], p_versions bigint[], p_contents bytea[], p_dues bigint[],
    out replaced bool[]
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint;
begin
    -- In one order, so that two nodes do not wait for each other.
    perform from {schema}.journal j where j.place = any (p_places) order by j.place for update;
    v_now := floor(extract(epoch from clock_timestamp()))::bigint;
    with given as materialized (
        select * from unnest(p_places, p_versions, p_contents, p_dues)
            with ordinality g(place, version, content, due, number)
    ), changed as (
        update {schema}.journal j set version = j.version + 1, content = g.content, due = g.due,
            changed_by = p_mark
        from given g where j.place = g.place and j.version = g.version and j.expires > v_now
        returning j.place
    )
    select array_agg(
        c.place is not null or coalesce(j.changed_by = p_mark and j.version = g.version + 1, false)
        order by g.number
    )
    into replaced
    from given g left join changed c on c.place = g.place
        -- As they were before.
        left join {schema}.journal j on j.place = g.place;
    perform {schema}.journal_confirm();
end
$$;

-- Takes entries that are due, those first that are due for the longest time. They are due again after
-- `p_lease` seconds. Called again with the same mark, it returns the same.
create function {schema}.journal_take_due(
    p_mark bigint, p_limit int, p_lease bigint,
    out places bigint[], out versions bigint[], out dues bigint[], out contents bytea[]
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
begin
    select array_agg(j.place), array_agg(j.version), array_agg(j.due), array_agg(j.content)
    into places, versions, dues, contents
    from {schema}.journal j where j.changed_by = p_mark and j.due is not null;
    if places is not null then
        return;
    end if;
    with due as materialized (
        select j.place, j.due from {schema}.journal j where j.due <= v_now and j.expires > v_now
        order by j.due, j.place limit p_limit for update skip locked
    ), taken as (
        update {schema}.journal j set version = j.version + 1, changed_by = p_mark,
            due = case when p_lease > 9223372036854775806 - v_now then 9223372036854775807
                else v_now + p_lease end
        from due d where j.place = d.place
        returning j.place, j.version, j.due, j.content, d.due as since
    )
    select coalesce(array_agg(t.place order by t.since, t.place), '{}'),
           coalesce(array_agg(t.version order by t.since, t.place), '{}'),
           coalesce(array_agg(t.due order by t.since, t.place), '{}'),
           coalesce(array_agg(t.content order by t.since, t.place), '{}')
    into places, versions, dues, contents from taken t;
end
$$;

-- Returns the entry at a place, or the one with a key, unless it has expired.
create function {schema}.journal_get(
    p_place bigint, p_key bytea,
    out places bigint[], out versions bigint[], out dues bigint[], out contents bytea[]
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
begin
    if p_key is not null then
        select j.place into p_place from {schema}.journal j where j.key = p_key;
    end if;
    select coalesce(array_agg(j.place), '{}'), coalesce(array_agg(j.version), '{}'),
           coalesce(array_agg(j.due), '{}'), coalesce(array_agg(j.content), '{}')
    into places, versions, dues, contents
    from {schema}.journal j
    where j.place = p_place and j.expires > v_now;
    perform {schema}.journal_confirm();
end
$$;

-- Returns the newest entries before a place.
create function {schema}.journal_newest(
    p_before bigint, p_limit int,
    out places bigint[], out versions bigint[], out dues bigint[], out contents bytea[]
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
begin
    select coalesce(array_agg(n.place order by n.place desc), '{}'),
           coalesce(array_agg(n.version order by n.place desc), '{}'),
           coalesce(array_agg(n.due order by n.place desc), '{}'),
           coalesce(array_agg(n.content order by n.place desc), '{}')
    into places, versions, dues, contents
    from (
        select j.* from {schema}.journal j
        where j.place < p_before and j.expires > v_now
        order by j.place desc limit p_limit
    ) n;
    perform {schema}.journal_confirm();
end
$$;

-- Returns how many entries have a due date.
create function {schema}.journal_waiting(out waiting bigint) language plpgsql as $$
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
begin
    select count(*) into waiting from {schema}.journal j
        where j.due is not null and j.expires > v_now;
    perform {schema}.journal_confirm();
end
$$;

-- Removes a piece of the entries that have expired.
create function {schema}.sweep_journal(p_piece int, out gone bigint, out more bool)
language plpgsql as $$
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
    v_last bigint;
begin
    gone := 0;
    more := false;
    if not exists (select from {schema}.journal j where j.expires <= v_now) then
        return;
    end if;
    -- Whoever writes an entry locks this first, too.
    perform from {schema}.journal_meta m for update;
    with deleted as (
        delete from {schema}.journal where place in (
            select j.place from {schema}.journal j
            where j.expires <= v_now order by j.expires limit p_piece for update skip locked
        ) returning place
    )
    select count(*), max(d.place) into gone, v_last from deleted d;
    update {schema}.journal_meta m set last = v_last where m.last < v_last;
    more := gone = p_piece;
end
$$;
