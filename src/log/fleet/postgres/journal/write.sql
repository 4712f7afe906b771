select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '',
       a.places, a.versions, a.dues, a.contents
from {schema}.meta m, {schema}.journal_write(
    $1::bigint, $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[]
) a
