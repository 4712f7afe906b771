select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       a.replaced
from {schema}.meta m, {schema}.journal_replace(
    $1::bigint, $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[]
) a
