select pg_backend_pid(), p.format, current_setting('synchronous_standby_names') <> '',
       p.incarnation, p.history, p.forgotten, p.upto, p.mark, p.more, p.expected, p.records,
       p.listed, p.barrier, p.report_wanted, p.now, p.ids, p.names, p.beats, p.applied, p.healed
from {schema}.poll(
    $1::bigint, $2::bigint, $3::bigint,
    $4::bigint, $5::text, $6::bigint, $7::bigint, $8::bool, $9::bigint[], $10::bigint[]
) p
