select pg_backend_pid(), a.format, current_setting('synchronous_standby_names') <> '',
       a.outcome, a.iat
from {schema}.issue(
    $1::bigint, $2::bytea, $3::bytea, $4::bytea[], $5::bytea[], $6::bytea[], $7::bigint[]
) a
