-- What may be used only once, such as the `jti` of an assertion. Rows are inserted, and removed by
-- sweeps.
create table {schema}.replay (
    once bytea primary key check (length(once) = 32),
    client bytea not null check (length(client) = 16),
    expires bigint not null,
    -- Of the use. It distinguishes a use that is sent again from another one.
    mark bigint not null
);

create index replay_client on {schema}.replay (client, expires);
create index replay_expires on {schema}.replay (expires);

-- One row: the latest expiry of the uses that were removed.
create table {schema}.replay_meta (
    one bool primary key default true check (one),
    forgotten bigint not null default 0
);

insert into {schema}.replay_meta default values;

-- Uses up different identifiers, in this order. Results: 0 if it was not used before, 1 if it was or
-- has expired, 2 if it may have been used and forgotten, and 3 if the client has used up its quota.
-- Several nodes at once may exceed a quota by what they use up at that moment.
--
-- A use that is sent again with the same mark writes its row again, so that it is as durable as the
-- first time.
create function {schema}.use_up(
    p_onces bytea[], p_clients bytea[], p_expires bigint[], p_marks bigint[], p_quota bigint,
    out results int[]
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
begin
    with given as materialized (
        select u.*, case
            when u.expires <= v_now then 1
            when u.expires <= m.forgotten then 2
            when k.expires > v_now and k.mark <> u.mark then 1
        end as refused
        from unnest(p_onces, p_clients, p_expires, p_marks)
            with ordinality u(once, client, expires, mark, place)
        cross join {schema}.replay_meta m
        left join {schema}.replay k on k.once = u.once
    ), held as materialized (
        select r.client, count(*) as count from {schema}.replay r
        where r.client in (select g.client from given g where g.refused is null)
            and r.expires > v_now and not r.mark = any (p_marks)
        group by r.client
    ), counted as materialized (
        select g.*, coalesce(h.count, 0)
            + row_number() over (partition by g.client, g.refused order by g.place) as count
        from given g left join held h on h.client = g.client
    ), used as (
        -- In one order, so that two nodes do not wait for each other.
        insert into {schema}.replay as r (once, client, expires, mark)
        select c.once, c.client, c.expires, c.mark from counted c
        where c.refused is null and c.count <= p_quota order by c.once
        on conflict (once) do update
            set client = excluded.client, expires = excluded.expires, mark = excluded.mark
            where r.expires <= v_now or r.mark = excluded.mark
        returning r.once
    )
    select array_agg(case
        when c.refused is not null then c.refused
        when u.once is not null then 0
        when c.count <= p_quota then 1
        else 3
    end order by c.place)
    into results from counted c left join used u on u.once = c.once;
end
$$;

-- Removes a piece of the uses that have expired.
create function {schema}.sweep_replay(p_piece int, out gone bigint, out more bool)
language plpgsql as $$
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
    v_latest bigint;
begin
    with deleted as (
        delete from {schema}.replay where once in (
            select r.once from {schema}.replay r
            where r.expires <= v_now order by r.expires limit p_piece for update skip locked
        ) returning expires
    )
    select count(*), max(d.expires) into gone, v_latest from deleted d;
    if gone > 0 then
        update {schema}.replay_meta m set forgotten = greatest(m.forgotten, v_latest);
    end if;
    more := gone = p_piece;
end
$$;
