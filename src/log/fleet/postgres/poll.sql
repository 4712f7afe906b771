with known as materialized (
    select $1::bigint = 0 or exists (
        select from {schema}.log l where l.sequence = $1::bigint and l.mark = $2::bigint
    ) as same
), start as materialized (
    select case when k.same then $1::bigint else 0 end as after, k.same from known k
), page as materialized (
    select l.sequence, l.mark, l.selector, l.not_before, l.expires from {schema}.log l
    where l.sequence > (select s.after from start s) order by l.sequence limit $3::bigint
), packed as materialized (
    select max(p.sequence) as last,
           string_agg(p.selector || int8send(p.not_before) || int8send(p.expires), ''::bytea
               order by p.sequence) as records
    from page p
), proof as materialized (
    -- The commit of this message waits for a standby, as that of an append does. An old primary that
    -- was cut off can still answer reads, but not this.
    select case when current_setting('synchronous_standby_names') <> ''
        then pg_logical_emit_message(true, 'tower_revocation', '') end as lsn
)
select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       m.epoch, s.same, m.forgotten,
       coalesce(p.last, s.after),
       case when p.last is not null then (select l.mark from page l where l.sequence = p.last)
            when s.after > 0 then $2::bigint else 0 end,
       exists (select from {schema}.log l where l.sequence > coalesce(p.last, s.after)),
       coalesce(p.records, ''::bytea), f.lsn
from {schema}.meta m, start s, packed p, proof f
