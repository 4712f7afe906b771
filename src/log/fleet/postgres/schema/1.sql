-- Records are only ever inserted. A row that is updated with each append, such as a counter, would
-- leave a dead version each time. While an old snapshot is open nobody can remove them, and every
-- append and every poll would read through all of them.

create table {schema}.migration (
    version int primary key,
    at timestamptz not null default clock_timestamp()
);

-- One row. Every append locks it, and only sweeps and migrations change it.
create table {schema}.meta (
    one bool primary key default true check (one),
    -- The version of the tables, for nodes that have them open.
    format int not null,
    epoch bigint not null,
    -- Stays the same after a failover and in a copy.
    id uuid not null default gen_random_uuid(),
    -- The latest expiry of the records that were removed.
    forgotten bigint not null default 0,
    -- How many selectors were removed.
    removed bigint not null default 0,
    -- What the records up to here have replaced was removed.
    swept bigint not null default 0,
    -- The last record that was removed. A record before it may be missing for that reason.
    gone bigint not null default 0,
    -- That of all nodes, in milliseconds. The first node sets it.
    lease bigint
);

create table {schema}.log (
    sequence bigint primary key,
    -- Of the append, and of all before it. It distinguishes this log from another one with as many records.
    mark bigint not null,
    at bigint not null,
    -- 33 bytes. A check would take a tenth of an append.
    selector bytea not null,
    not_before bigint not null,
    expires bigint not null,
    -- The record of the same selector that this one covers, or 0.
    replaces bigint not null,
    -- How many selectors were new up to here. Minus `removed`, it is the size of the log.
    selectors bigint not null
);

create index log_selector on {schema}.log (selector, sequence desc);
create index log_expires on {schema}.log (expires);

-- The nodes. A node updates its row about five times in a lease, and after each record if the appends
-- of some node wait for all members. While an old snapshot is open the dead versions stay, and every
-- poll reads through them: after an hour 3,600 for each node, which is about a millisecond. No append
-- reads this table.
create table {schema}.member (
    id bigint primary key,
    name text not null,
    beat bigint not null,
    applied bigint not null,
    healed bigint not null,
    waits bool not null
) with (fillfactor = 50);

-- The incarnation of the log: the stored epoch, and when the server was started. A node sets the latter
-- for its session.
create function {schema}.incarnation(p_epoch bigint) returns bigint language sql stable as $$
    select hashtextextended(coalesce(current_setting('tower_revocation.identity', true), ''), p_epoch)
$$;

-- Returns the records after a cursor: at most `p_limit` of them, in the order of the log. `history`
-- is 0 if the log has the record of the cursor, 1 if a sweep may have removed it, and 2 if the log
-- has lost it. In the last two cases the records are from the beginning.
--
-- Stores a report before that, unless `p_name` is null. A member that is not listed is listed if it
-- has healed in this incarnation. Strikes out silent members.
create function {schema}.poll(
    p_after bigint, p_mark bigint, p_limit bigint,
    p_member bigint, p_name text, p_applied bigint, p_healed bigint, p_waits bool,
    p_silent bigint[], p_beats bigint[],
    out format int, out incarnation bigint, out history int, out forgotten bigint,
    out upto bigint, out mark bigint, out more bool, out expected bigint, out records bytea,
    out listed bool, out barrier bool, out report_wanted bool, out now bigint,
    out ids bigint[], out names text[], out beats bigint[], out applied bigint[],
    out healed bigint[]
) language plpgsql as $$
#variable_conflict use_column
declare
    v_lists bool := p_name is not null or cardinality(p_silent) > 0;
    v_wrote bool := false;
begin
    if p_name is not null and p_after > 0 and not exists (
        select from {schema}.log l where l.sequence = p_after and l.mark = p_mark
    ) then
        -- What another history has at this place says nothing about this one.
        p_applied := 0;
    end if;
    if p_name is null then
        select exists (select from {schema}.member m where m.id = p_member) into listed;
    else
        update {schema}.member m set name = p_name, beat = m.beat + 1, applied = p_applied,
            healed = p_healed, waits = p_waits
        where m.id = p_member;
        listed := found;
        v_wrote := found;
        if not found then
            insert into {schema}.member
            -- Not a beat that it had before: others could take it for silent since then.
            select p_member, p_name, floor(extract(epoch from clock_timestamp()) * 1000)::bigint,
                p_applied, p_healed, p_waits
            from {schema}.meta m
            where {schema}.incarnation(m.epoch) = p_healed
            on conflict do nothing;
            v_wrote := found;
        end if;
    end if;
    if cardinality(p_silent) > 0 then
        -- A row that is locked reports now, so it is not silent.
        delete from {schema}.member m where m.id in (
            select s.id from {schema}.member s
            join unnest(p_silent, p_beats) u(id, beat) on u.id = s.id and u.beat = s.beat
            for update of s skip locked
        );
    end if;

    with head as materialized (
        select coalesce(max(n.sequence), 0) as last, coalesce(max(n.selectors), 0) as selectors from (
            select l.sequence, l.selectors from {schema}.log l order by l.sequence desc limit 1
        ) n
    ), known as materialized (
        select m.format, {schema}.incarnation(m.epoch) as incarnation, m.forgotten,
            m.removed, m.swept, case
            when p_after = 0 then 0
            when k.mark = p_mark then 0
            when k.mark is null and p_after <= m.gone and p_after <= h.last then 1
            else 2 end as history
        from {schema}.meta m cross join head h
        left join {schema}.log k on k.sequence = p_after
    ), start as materialized (
        select case when k.history = 0 then p_after else 0 end as after from known k
    ), page as materialized (
        select l.sequence, l.mark, l.selector, l.not_before, l.expires from {schema}.log l
        where l.sequence > (select s.after from start s) order by l.sequence limit p_limit
    ), packed as materialized (
        select max(p.sequence) as last,
               string_agg(p.selector || int8send(p.not_before) || int8send(p.expires), ''::bytea
                   order by p.sequence) as records
        from page p
    ), members as materialized (
        select count(*) filter (where o.healed <> k.incarnation) > 0 as barrier,
               coalesce(bool_or(o.waits), false) as wanted,
               coalesce(array_agg(o.id) filter (where o.listed), '{}') as ids,
               coalesce(array_agg(o.name) filter (where o.listed), '{}') as names,
               coalesce(array_agg(o.beat) filter (where o.listed), '{}') as beats,
               coalesce(array_agg(o.applied) filter (where o.listed), '{}') as applied,
               coalesce(array_agg(o.healed) filter (where o.listed), '{}') as healed
        from known k left join (select m.*, v_lists as listed from {schema}.member m) o on true
    )
    select k.format, k.incarnation, k.history, k.forgotten, coalesce(p.last, s.after),
           case when p.last is not null then (select l.mark from page l where l.sequence = p.last)
                when s.after > 0 then p_mark else 0 end,
           h.last > coalesce(p.last, s.after),
           -- What was not removed yet: each selector once, and what was not swept.
           least(h.last - s.after, greatest(h.selectors - k.removed, 0) + h.last - k.swept),
           coalesce(p.records, ''::bytea), o.barrier, o.wanted,
           o.ids, o.names, o.beats, o.applied, o.healed
    into format, incarnation, history, forgotten, upto, mark, more, expected, records, barrier,
        report_wanted,
         ids, names, beats, applied, healed
    from known k, start s, packed p, head h, members o;
    now := floor(extract(epoch from clock_timestamp()) * 1000)::bigint;

    if not v_wrote and current_setting('synchronous_standby_names') <> '' then
        -- The commit of this message waits for a standby, as that of an append does. An old primary
        -- that was cut off can still answer reads, but not this.
        perform pg_logical_emit_message(true, 'tower_revocation', '');
    end if;
end
$$;

-- Appends batches. Record i is in the batch `p_batches[i]`, and batch b may add at most
-- `p_limits[b]` selectors. `p_distinct` says that no selector comes twice. `wrote` says whether there
-- are new records.
--
-- Returns for each batch the last record of the log after it, and how many selectors were new: -1 if
-- they were more than its limit, -2 if the log is full. If all records are new, these lists are null,
-- and the records follow `head` in the order in which they were given.
--
-- With `p_as_given`, records keep their dates, and there is no limit. Without a batch, it only shows
-- whether a record could be inserted.
--
-- With `p_later`, its commit waits neither for the disk nor for a standby, so that the next node gets the
-- lock before that. The caller waits for a later commit.
create function {schema}.append(
    p_mark bigint, p_ceiling bigint, p_as_given bool, p_limits bigint[],
    p_batches int[], p_selectors bytea[], p_not_before bigint[], p_expires bigint[], p_distinct bool,
    p_later bool,
    out format int, out incarnation bigint, out at bigint, out head bigint, out last bigint[],
    out added bigint[], out wrote bool
) language plpgsql as $$
#variable_conflict use_column
declare
    v_count int := cardinality(p_limits);
    v_records int := cardinality(p_selectors);
    v_removed bigint;
    v_head bigint;
    v_mark bigint;
    v_now bigint;
    v_at bigint;
    v_ever bigint;
    v_room bigint := 9223372036854775807;
    v_new bigint;
    v_whole bool;
    v_from int;
    v_to int;
begin
    if p_later then
        perform set_config('synchronous_commit', 'off', true);
    end if;
    select m.format, {schema}.incarnation(m.epoch), m.removed
        into format, incarnation, v_removed from {schema}.meta m for update;
    -- A statement of its own: its snapshot is from after the lock, so it has the newest record.
    select l.sequence, l.mark, l.at, l.selectors into v_head, v_mark, v_at, v_ever
        from {schema}.log l order by l.sequence desc limit 1;
    v_head := coalesce(v_head, 0);
    -- The same mark at the same place shows the same records up to it. A request that is sent again after
    -- the log has lost its end gets another one: this time, its records may have other dates.
    v_mark := hashtextextended(coalesce(v_mark, 0)::text || gen_random_uuid()::text, p_mark);
    v_ever := coalesce(v_ever, 0);
    v_now := floor(date_part('epoch', clock_timestamp()));
    -- The clock may go back a little. If it was far ahead once, that does not count.
    v_at := case when v_at <= v_now + 60 then greatest(v_at, v_now) else v_now end;
    if p_as_given then
        p_limits := array_fill(9223372036854775807::bigint, array[v_count]);
    else
        v_room := greatest(p_ceiling - greatest(v_ever - v_removed, 0), 0);
    end if;
    at := v_at;
    head := v_head;

    -- If no limit can be exceeded, one statement appends all batches. Else one for each.
    v_whole := v_records <= v_room and v_records <= all (p_limits);
    if not v_whole and v_records <= v_room then
        v_whole := not exists (
            select from unnest(p_batches) r(batch) group by r.batch having count(*) > p_limits[r.batch]
        );
    end if;

    if v_whole and p_distinct and v_records > 0
        and not exists (select from {schema}.log l where l.selector = any (p_selectors))
    then
        -- The usual case. What follows gives the same, and takes half as long again.
        insert into {schema}.log
            (sequence, mark, at, selector, not_before, expires, replaces, selectors)
        select v_head + r.place, v_mark, v_at, r.selector,
               case when not p_as_given and r.not_before < v_at and r.not_before >= v_at - 60
                   then v_at else r.not_before end,
               r.expires, 0, v_ever + r.place
        from unnest(p_selectors, p_not_before, p_expires)
            with ordinality r(selector, not_before, expires, place);
        wrote := true;
        return;
    end if;

    last := array_fill(v_head, array[v_count]);
    added := array_fill(0::bigint, array[v_count]);
    for i in 1..(case when v_whole then least(v_count, 1) else v_count end) loop
        v_from := i;
        v_to := case when v_whole then v_count else i end;
        if not v_whole then
            select count(*) into v_new from (
                select distinct r.selector from unnest(p_selectors, p_batches) r(selector, batch)
                where r.batch = i
            ) d where (select 1 from {schema}.log l where l.selector = d.selector limit 1) is null;
            if v_new > p_limits[i] or v_new > v_room then
                last[i] := v_head;
                added[i] := case when v_new > p_limits[i] then -1 else -2 end;
                continue;
            end if;
        end if;

        with given as (
            -- One record for a selector, at its first place.
            select r.selector, min(r.place) as place, min(r.batch) as batch, max(r.expires) as expires,
                   -- A watermark that was meant for now is raised to the time of this server.
                   max(case when not p_as_given and r.not_before < v_at and r.not_before >= v_at - 60
                       then v_at else r.not_before end) as not_before
            from unnest(p_selectors, p_batches, p_not_before, p_expires)
                with ordinality r(selector, batch, not_before, expires, place)
            where r.batch between v_from and v_to
            group by r.selector
        ), beyond as (
            select g.selector, g.batch, n.sequence as newest,
                   greatest(g.not_before, n.not_before) as not_before,
                   greatest(g.expires, n.expires) as expires,
                   v_head + row_number() over (order by g.place) as sequence,
                   count(*) filter (where n.sequence is null) over (order by g.place) as new
            from given g left join lateral (
                select l.sequence, l.not_before, l.expires from {schema}.log l
                where l.selector = g.selector order by l.sequence desc limit 1
            ) n on true
            where n.sequence is null or g.not_before > n.not_before or g.expires > n.expires
        ), written as (
            insert into {schema}.log
                (sequence, mark, at, selector, not_before, expires, replaces, selectors)
            select b.sequence, v_mark, v_at, b.selector, b.not_before, b.expires,
                   coalesce(b.newest, 0), v_ever + b.new
            from beyond b
        ), counted as (
            select b.batch, max(b.sequence) as sequence, count(*) filter (where b.newest is null) as new
            from beyond b group by b.batch
        ), each as (
            select s.batch, coalesce(max(c.sequence) over (order by s.batch), v_head) as sequence,
                   coalesce(c.new, 0) as new
            from generate_series(v_from, v_to) s(batch) left join counted c using (batch)
        )
        select last[:v_from - 1] || array_agg(e.sequence order by e.batch) || last[v_to + 1:],
               added[:v_from - 1] || array_agg(e.new order by e.batch) || added[v_to + 1:],
               max(e.sequence), sum(e.new)
        into last, added, v_head, v_new from each e;
        v_ever := v_ever + v_new;
        v_room := v_room - v_new;
    end loop;
    wrote := v_head > head;
    if v_count = 0 then
        begin
            insert into {schema}.log
            values (v_head + 1, 0, v_at, decode(repeat('00', 33), 'hex'), 0, 0, 0, v_ever);
            raise exception using errcode = 'TR000';
        exception when sqlstate 'TR000' then
            -- It is not inserted after all.
        end;
    end if;
end
$$;

-- Removes a piece of what is not needed: records that were replaced, and records that have expired.
-- The newest records stay, so that a node that is a little behind finds its place.
create function {schema}.sweep(
    p_keep bigint, p_piece int,
    out format int, out gone bigint, out more bool
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
    v_swept bigint;
    v_limit bigint;
    v_to bigint;
    v_last bigint;
    v_replaced bigint;
    v_list bigint[];
    v_expired bigint;
    v_latest bigint;
    v_selectors bytea[];
    v_gone bigint[];
begin
    select m.format, m.swept into format, v_swept from {schema}.meta m for update;
    v_limit := (select l.sequence from {schema}.log l order by l.sequence desc limit 1) - p_keep;
    v_limit := greatest(coalesce(v_limit, 0), 0);
    -- Many records replace nothing. More of them are a piece.
    v_to := greatest(least(v_swept + 16 * p_piece, v_limit), v_swept);

    select array_agg(f.replaces), max(f.sequence), count(*) into v_list, v_last, v_replaced from (
        select l.sequence, l.replaces from {schema}.log l
        where l.sequence > v_swept and l.sequence <= v_to and l.replaces > 0
        order by l.sequence limit p_piece
    ) f;
    if v_replaced = p_piece then
        v_to := v_last;
    end if;
    delete from {schema}.log where sequence = any (v_list);
    get diagnostics v_replaced = row_count;
    with deleted as (
        delete from {schema}.log where sequence in (
            select l.sequence from {schema}.log l
            where l.expires <= v_now and l.sequence <= v_limit order by l.expires limit p_piece
        ) returning selector, expires, sequence
    )
    select count(*), max(d.expires), array_agg(distinct d.selector), array_agg(d.sequence)
    into v_expired, v_latest, v_selectors, v_gone from deleted d;

    if v_expired > 0 or v_to > v_swept then
        update {schema}.meta m set swept = v_to, forgotten = greatest(m.forgotten, v_latest),
            gone = greatest(m.gone, (select max(g) from unnest(v_list || v_gone) g)),
            removed = m.removed + (
                select count(*) from unnest(v_selectors) d(selector)
                where (select 1 from {schema}.log l where l.selector = d.selector limit 1) is null
            );
    end if;
    gone := v_replaced + v_expired;
    more := v_to < v_limit or v_expired = p_piece;
end
$$;
