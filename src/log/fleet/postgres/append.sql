select pg_backend_pid(), a.format, current_setting('synchronous_standby_names') <> '',
       a.incarnation, a.at, a.head, a.last, a.added, a.wrote
from {schema}.append(
    $1::bigint, $2::bigint, $3::bool, $4::bigint[], $5::int[], $6::bytea[], $7::bigint[], $8::bigint[],
    $9::bool, $10::bool
) a
