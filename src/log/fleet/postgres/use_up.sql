select pg_backend_pid(), m.format, current_setting('synchronous_standby_names') <> '', u.results
from {schema}.meta m, {schema}.use_up(
    $1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint
) u
