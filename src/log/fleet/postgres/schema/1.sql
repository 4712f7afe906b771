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
    -- The latest expiry of the records that were removed.
    forgotten bigint not null default 0,
    -- How many selectors were removed.
    removed bigint not null default 0,
    -- What the records up to here have replaced was removed.
    swept bigint not null default 0
);

create table {schema}.log (
    sequence bigint primary key,
    -- Of the append. It distinguishes this log from another one with as many records.
    mark bigint not null,
    at bigint not null,
    selector bytea not null check (length(selector) = 33),
    not_before bigint not null,
    expires bigint not null,
    -- The record of the same selector that this one covers, or 0.
    replaces bigint not null,
    -- How many selectors were new up to here. Minus `removed`, it is the size of the log.
    selectors bigint not null
);

create index log_selector on {schema}.log (selector, sequence desc);
create index log_expires on {schema}.log (expires);

-- Appends batches. Record i is in the batch `p_batches[i]`, and batch b may add at most
-- `p_limits[b]` selectors. Returns for each batch the last record of the log after it, and how many
-- selectors were new: -1 if they were more than its limit, -2 if the log is full. `wrote` says whether
-- there are new records.
create function {schema}.append(
    p_mark bigint, p_ceiling bigint, p_limits bigint[],
    p_batches int[], p_selectors bytea[], p_not_before bigint[], p_expires bigint[],
    out format int, out epoch bigint, out at bigint, out last bigint[], out added bigint[],
    out wrote bool
) language plpgsql as $$
#variable_conflict use_column
declare
    v_count int := cardinality(p_limits);
    v_removed bigint;
    v_first bigint;
    v_head bigint;
    v_at bigint;
    v_ever bigint;
    v_room bigint;
    v_new bigint;
    v_whole bool;
    v_from int;
    v_to int;
begin
    select m.format, m.epoch, m.removed into format, epoch, v_removed from {schema}.meta m for update;
    -- A statement of its own: its snapshot is from after the lock, so it has the newest record.
    select l.sequence, l.at, l.selectors into v_head, v_at, v_ever
        from {schema}.log l order by l.sequence desc limit 1;
    v_head := coalesce(v_head, 0);
    v_first := v_head;
    v_ever := coalesce(v_ever, 0);
    v_at := greatest(floor(extract(epoch from clock_timestamp()))::bigint, coalesce(v_at, 0));
    v_room := greatest(p_ceiling - greatest(v_ever - v_removed, 0), 0);
    at := v_at;
    last := array_fill(v_head, array[v_count]);
    added := array_fill(0::bigint, array[v_count]);

    -- If no limit can be exceeded, one statement appends all batches. Else one for each.
    v_whole := cardinality(p_selectors) <= v_room and not exists (
        select from unnest(p_batches) r(batch) group by r.batch having count(*) > p_limits[r.batch]
    );
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
                   max(case when r.not_before < v_at and r.not_before >= v_at - 60
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
            select b.sequence, p_mark, v_at, b.selector, b.not_before, b.expires,
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
    wrote := v_head > v_first;
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
        ) returning selector, expires
    )
    select count(*), max(d.expires), array_agg(distinct d.selector)
    into v_expired, v_latest, v_selectors from deleted d;

    if v_expired > 0 or v_to > v_swept then
        update {schema}.meta m set swept = v_to, forgotten = greatest(m.forgotten, v_latest),
            removed = m.removed + (
                select count(*) from unnest(v_selectors) d(selector)
                where (select 1 from {schema}.log l where l.selector = d.selector limit 1) is null
            );
    end if;
    gone := v_replaced + v_expired;
    more := v_to < v_limit or v_expired = p_piece;
end
$$;
