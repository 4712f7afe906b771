with page as materialized (
    select l.sequence, l.mark, l.selector, l.not_before, l.expires from {schema}.log l
    where l.sequence > $1::bigint order by l.sequence limit $2::bigint
)
select coalesce(max(p.sequence), $1::bigint),
       coalesce((array_agg(p.mark order by p.sequence desc))[1], 0),
       coalesce(string_agg(
           p.selector || int8send(p.not_before) || int8send(p.expires), ''::bytea order by p.sequence
       ), ''::bytea)
from page p
