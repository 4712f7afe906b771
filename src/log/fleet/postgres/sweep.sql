select pg_backend_pid(), s.format, current_setting('synchronous_standby_names') <> '',
       s.gone, s.more
from {schema}.sweep($1::bigint, $2::int) s
