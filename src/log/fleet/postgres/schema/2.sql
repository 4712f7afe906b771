-- The tokens that authorization servers have issued. Their digests are made with a key of this log, so
-- that nobody else chooses a byte of them. `content` is what the crate stores about a token.

create table {schema}.issued_meta (
    one bool primary key default true check (one),
    key bytea not null default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
    -- The digest of a fixed text under the key of the application, once an application has come.
    checked bytea,
    -- The latest expiry of the tokens that were removed.
    forgotten bigint not null default 0
);

insert into {schema}.issued_meta default values;

create table {schema}.issued (
    digest bytea primary key,
    iat bigint not null,
    exp bigint not null,
    -- The call that has exchanged the token for others.
    used_by bigint,
    content bytea not null
) with (fillfactor = 90);

create index issued_exp on {schema}.issued (exp);

-- Returns whether the tokens were stored with this key, and stores the first one. Fails for a role that
-- lacks rights.
create function {schema}.issued_open(p_check bytea, out format int, out is_right bool)
language plpgsql as $$
#variable_conflict use_column
begin
    select m.format into format from {schema}.meta m;
    select m.checked = p_check into strict is_right from {schema}.issued_meta m;
    if is_right is null then
        update {schema}.issued_meta m set checked = p_check where m.checked is null;
        select m.checked = p_check into strict is_right from {schema}.issued_meta m;
    end if;
    insert into {schema}.issued select i.* from {schema}.issued i where false;
    update {schema}.issued i set used_by = null where false;
    delete from {schema}.issued i where false;
    update {schema}.issued_meta m set forgotten = 0 where false;
end
$$;

-- Returns what is stored about a token: no `content` if it is unknown. `went_back` says that it may have
-- been removed by a clock that was ahead.
create function {schema}.issued_find(
    p_digest bytea,
    out format int, out iat bigint, out exp bigint, out used bool, out content bytea,
    out went_back bool
) language plpgsql as $$
#variable_conflict use_column
declare
    v_key bytea;
begin
    select m.format into format from {schema}.meta m;
    select m.key into strict v_key from {schema}.issued_meta m;
    select i.iat, i.exp, i.used_by is not null, i.content into iat, exp, used, content
        from {schema}.issued i where i.digest = sha256(v_key || p_digest);
    went_back := false;
    if found then
        return;
    end if;
    select m.forgotten > extract(epoch from clock_timestamp()) into strict went_back
        from {schema}.issued_meta m;
    if current_setting('synchronous_standby_names') <> '' then
        -- An old primary that was cut off still answers reads, and does not know the newest tokens. It
        -- cannot commit this.
        perform pg_logical_emit_message(true, 'tower_revocation', '');
    end if;
end
$$;

-- Waits for the appends that have begun. The records of those that begin later have this time or a later
-- one, so they cover a token that is issued now.
--
-- The lock is given back at once, because a caller that holds it would hold up all appends until it has
-- committed. That it was taken is written to the write-ahead log, so each caller waits for a standby if
-- appends do. An old primary that was cut off cannot answer.
create function {schema}.issued_settle() returns void language plpgsql as $$
begin
    perform from {schema}.meta m for key share;
    raise exception using errcode = 'TR000';
exception when sqlstate 'TR000' then
    -- Now it is given back.
end
$$;

-- Stores tokens of a grant. `p_selectors` are those whose record revokes the grant. The tokens are issued
-- in the first second from now on that no record covers.
--
-- With `p_old`, exchanges that token for them, once. `p_token` is its own selector.
--
-- Called again with the same mark and the same tokens, it returns the same: `outcome` is 0 if the tokens
-- are stored, 1 if the grant or the old token is revoked, expired or unknown, 2 if another call has
-- exchanged it, and 3 if a record was removed that may have been about it.
create function {schema}.issue(
    p_mark bigint, p_old bytea, p_token bytea, p_selectors bytea[],
    p_digests bytea[], p_contents bytea[], p_lifetimes bigint[],
    out format int, out outcome int, out iat bigint
) language plpgsql as $$
#variable_conflict use_column
declare
    v_key bytea;
    v_old bytea;
    v_iat bigint;
    v_exp bigint;
    v_used_by bigint;
    v_digests bytea[];
    v_now bigint;
    v_covered bigint;
    v_old_covered bigint;
    v_forgotten bigint;
    v_count int;
begin
    select m.key into strict v_key from {schema}.issued_meta m;
    v_digests := coalesce((
        select array_agg(sha256(v_key || d.digest) order by d.place)
        from unnest(p_digests) with ordinality d(digest, place)
    ), '{}');
    if p_old is not null then
        v_old := sha256(v_key || p_old);
        select i.iat, i.exp, i.used_by into v_iat, v_exp, v_used_by
            from {schema}.issued i where i.digest = v_old for update;
        if not found then
            outcome := 1;
        end if;
    end if;
    v_now := floor(extract(epoch from clock_timestamp()))::bigint;
    perform {schema}.issued_settle();
    -- Statements of their own: their snapshots are from after the wait.
    select m.format, m.forgotten into format, v_forgotten from {schema}.meta m;
    if outcome = 1 then
        return;
    end if;
    if v_used_by = p_mark then
        outcome := 0;
        select coalesce(min(i.iat), v_now) into iat from {schema}.issued i
            where i.digest = any (v_digests);
        return;
    end if;
    select max(n.not_before) into v_covered
        from unnest(p_selectors) s(selector) cross join lateral (
            select l.not_before from {schema}.log l where l.selector = s.selector
            order by l.sequence desc limit 1
        ) n;
    if p_old is not null then
        v_old_covered := greatest(v_covered, (
            select l.not_before from {schema}.log l where l.selector = p_token
            order by l.sequence desc limit 1
        ));
        outcome := case
            when v_old_covered >= v_iat then 1
            when v_used_by is not null then 2
            when v_exp <= v_now then 1
            when v_forgotten >= v_exp then 3
            else 0 end;
    else
        -- A record that ended in this second may have been removed by a clock that is right.
        outcome := case when v_forgotten > v_now then 3 else 0 end;
    end if;
    if v_covered = 9223372036854775807 then
        outcome := 1;
    end if;
    if outcome <> 0 then
        return;
    end if;

    iat := greatest(v_now, v_covered + 1);
    insert into {schema}.issued (digest, iat, exp, content)
        select n.digest, v.at,
               case when n.lifetime > 9223372036854775807 - v.at then 9223372036854775807
                    else v.at + n.lifetime end,
               n.content
        from unnest(v_digests, p_contents, p_lifetimes) n(digest, content, lifetime)
        cross join (select greatest(v_now, v_covered + 1) as at) v
        on conflict do nothing;
    get diagnostics v_count = row_count;
    if v_count < cardinality(v_digests) then
        -- The call was sent twice. The lock makes sure that its first commit is durable.
        with known as materialized (
            select i.iat from {schema}.issued i where i.digest = any (v_digests) for update
        )
        select min(k.iat) into iat from known k;
    end if;
    if p_old is not null then
        update {schema}.issued i set used_by = p_mark where i.digest = v_old;
    end if;
end
$$;

-- Removes a piece of the tokens that have been expired for longer than `p_retention` seconds.
create function {schema}.issued_sweep(
    p_retention bigint, p_piece int,
    out format int, out gone bigint, out more bool
) language plpgsql as $$
#variable_conflict use_column
declare
    v_now bigint := floor(extract(epoch from clock_timestamp()))::bigint;
    v_latest bigint;
begin
    select m.format into format from {schema}.meta m;
    with deleted as (
        delete from {schema}.issued where digest in (
            select i.digest from {schema}.issued i where i.exp <= v_now - p_retention
            order by i.exp limit p_piece for update skip locked
        ) returning exp
    )
    select count(*), max(d.exp) into gone, v_latest from deleted d;
    update {schema}.issued_meta m set forgotten = v_latest where m.forgotten < v_latest;
    more := gone = p_piece;
end
$$;
