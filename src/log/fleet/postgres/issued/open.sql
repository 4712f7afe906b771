select pg_backend_pid(), a.format, current_setting('synchronous_standby_names') <> '',
       a.is_right
from {schema}.issued_open($1::bytea) a
