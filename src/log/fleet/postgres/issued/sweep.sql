select pg_backend_pid(), a.format, current_setting('synchronous_standby_names') <> '',
       a.gone, a.more
from {schema}.issued_sweep($1::bigint, $2::int) a
